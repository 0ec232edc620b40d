/** The device bundle: a folder with everything a device needs to speak to its server. @module */
import { X509Certificate, createPrivateKey, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { Refusal, parseDeviceId } from '@holdfast/protocol';
import type { Peer } from './connection-error.ts';
import { type Pin, readPins } from './pin.ts';
import { bundleError, readPrivateFile } from './private-file.ts';

/** Names of the files of a bundle. */
export const BUNDLE_FILES = {
  anchor: 'ca.crt',
  certificate: 'client.crt',
  key: 'client.key',
  payloadKey: 'payload.key',
  commandKey: 'command.key',
  settings: 'holdfast.json',
  pin: 'server.pin',
  /** Kept by the SDK: counters up to here are taken. */
  counter: 'counter',
  /** Kept by the SDK: counters of commands that were accepted. */
  commandsSeen: 'commands.seen',
} as const;

/** A loaded bundle. Its keys are handles: printing a bundle prints no key. */
export interface Bundle {
  /** The folder, where the SDK also keeps its counters. */
  readonly folder: string;
  /** Device id: the MQTT client id, and the root of the topics. */
  readonly device: string;
  readonly tenant: string;
  /** Key id of the payload keys, `epoch.generation`. */
  readonly kid: string;
  readonly broker: Peer;
  readonly pins: readonly Pin[];
  /** The trust anchor, PEM. */
  readonly anchorPem: string;
  /** The operational certificate and its issuer, PEM. */
  readonly certificatePem: string;
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  /** Signs what the device sends. */
  readonly payloadKey: KeyObject;
  /** Verifies what is sent to the device. */
  readonly commandKey: KeyObject;
}

/**
 * Loads a bundle and checks the form of every file.
 *
 * @param folder - as written by {@link enroll}
 * @throws DeviceError `E_DEVICE_BUNDLE` when a file is missing or damaged, `E_DEVICE_MODE` when
 *   others can read a key or change the trust anchor
 */
export function loadBundle(folder: string): Bundle {
  const secret = (name: string): string => readPrivateFile(join(folder, name), 'secret');
  const anchorPem = readPrivateFile(join(folder, BUNDLE_FILES.anchor), 'public');
  const certificatePem = readPrivateFile(join(folder, BUNDLE_FILES.certificate), 'public');
  const keyPem = secret(BUNDLE_FILES.key);
  const settings = readSettings(secret(BUNDLE_FILES.settings));
  if (settings === undefined) throw damaged(folder, BUNDLE_FILES.settings);
  parsed(folder, BUNDLE_FILES.anchor, () => new X509Certificate(anchorPem));
  const certificate = parsed(folder, BUNDLE_FILES.certificate, () => {
    return new X509Certificate(certificatePem);
  });
  const privateKey = parsed(folder, BUNDLE_FILES.key, () => {
    return createPrivateKey({ key: keyPem, format: 'pem' });
  });
  if (!certificate.checkPrivateKey(privateKey)) {
    throw bundleError(`${BUNDLE_FILES.key} in ${folder} is not the key of the certificate`);
  }
  const symmetric = (name: string): KeyObject => {
    const key = readKeyHex(secret(name));
    if (key === undefined) throw damaged(folder, name);
    return key;
  };
  return {
    folder,
    ...settings,
    anchorPem,
    certificatePem,
    certificate,
    privateKey,
    payloadKey: symmetric(BUNDLE_FILES.payloadKey),
    commandKey: symmetric(BUNDLE_FILES.commandKey),
  };
}

/** What `holdfast.json` says. */
export type BundleSettings = Pick<Bundle, 'device' | 'tenant' | 'kid' | 'broker' | 'pins'>;

/** Reads the members that `holdfast.json` and the answer of the server share. */
export function readSettingsMembers(value: unknown): BundleSettings | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const members = new Map<string, unknown>(Object.entries(value));
  const [device, tenant, kid, brokerUrl] = ['device', 'tenant', 'kid', 'broker'].map((name) => {
    const text = members.get(name);
    return typeof text === 'string' ? text : '';
  });
  if (device === undefined || parseDeviceId(device) instanceof Refusal) return undefined;
  const broker = readBrokerUrl(brokerUrl ?? '');
  const pins = readPins(members.get('pins'));
  if (broker === undefined || pins === undefined) return undefined;
  if (tenant === undefined || !NAME.test(tenant)) return undefined;
  if (kid === undefined || !NAME.test(kid)) return undefined;
  return { device, tenant, kid, broker, pins };
}

/** Reads 64 hexadecimal digits, with or without a newline, as a key for HMAC-SHA256. */
export function readKeyHex(text: string): KeyObject | undefined {
  if (!KEY_HEX.test(text)) return undefined;
  return createSecretKey(Buffer.from(text.trimEnd(), 'hex'));
}

/** Reads `mqtts://host:port`; the brackets of an IPv6 address are taken off. */
function readBrokerUrl(text: string): Peer | undefined {
  const match = BROKER_URL.exec(text);
  const [, name, address, portText] = match ?? [];
  const host = name ?? address;
  const port = Number(portText);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

function readSettings(text: string): BundleSettings | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isVersion1 =
    typeof value === 'object' && value !== null && 'version' in value && value.version === 1;
  return isVersion1 ? readSettingsMembers(value) : undefined;
}

function parsed<T>(folder: string, name: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    // The cause is left out: OpenSSL's words may quote what stands in a key file.
    throw damaged(folder, name);
  }
}

function damaged(folder: string, name: string): Error {
  return bundleError(`${name} in ${folder} does not have its form`);
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u;
const KEY_HEX = /^[0-9a-f]{64}\r?\n?$/u;
const BROKER_URL = /^mqtts:\/\/(?:([A-Za-z0-9.-]+)|\[([0-9A-Fa-f:.]+)\]):(\d{1,5})\/?$/u;
