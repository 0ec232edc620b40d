/** The file `holdfast.json` of a bundle: names, addresses and pins. @module */
import { Refusal, parseDeviceId } from '@holdfast/protocol';
import type { Peer } from './connection-error.ts';
import { type Pin, readPins } from './pin.ts';

/** What `holdfast.json` says. */
export interface BundleSettings {
  /** Device id: the MQTT client id, and the root of the topics. */
  readonly device: string;
  readonly tenant: string;
  /** Key id of the payload keys, `epoch.generation`. */
  readonly kid: string;
  readonly broker: Peer;
  /** The enrollment listener, for renewals; undefined in a bundle that does not name it. */
  readonly enrollment?: Peer | undefined;
  readonly pins: readonly Pin[];
  /** Accepted as well, and kept by whoever looks after the device: no update touches them. */
  readonly backupPins: readonly Pin[];
  /** Version of the pin set that the pins are from; 0 for those of the enrollment. */
  readonly pinsVersion: number;
}

/** Reads `holdfast.json`; undefined when a part of it is malformed. */
export function readSettings(text: string): BundleSettings | undefined {
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

/** Writes `holdfast.json`. */
export function formatSettings(settings: BundleSettings): string {
  const { device, tenant, kid, broker, enrollment, pins, backupPins, pinsVersion } = settings;
  const members = {
    version: 1,
    device,
    tenant,
    kid,
    broker: `mqtts://${hostAndPort(broker)}`,
    ...(enrollment !== undefined && { enrollment: `https://${hostAndPort(enrollment)}` }),
    pins: pins.length === 1 ? pins[0] : pins,
    ...(backupPins.length > 0 && { backupPins }),
    ...(pinsVersion > 0 && { pinsVersion }),
  };
  return `${JSON.stringify(members, undefined, 2)}\n`;
}

/** Reads the members that `holdfast.json` and the answer of the server share. */
export function readSettingsMembers(value: unknown): BundleSettings | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const members = new Map<string, unknown>(Object.entries(value));
  const text = (name: string): string => {
    const member = members.get(name);
    return typeof member === 'string' ? member : '';
  };
  const [device, tenant, kid] = [text('device'), text('tenant'), text('kid')];
  if (parseDeviceId(device) instanceof Refusal) return undefined;
  if (!NAME.test(tenant) || !NAME.test(kid)) return undefined;
  const broker = readUrl(text('broker'), 'mqtts');
  const enrollment = readUrl(text('enrollment'), 'https');
  if (broker === undefined || (members.has('enrollment') && enrollment === undefined)) {
    return undefined;
  }
  const pins = readPins(members.get('pins'));
  const backupPins = members.has('backupPins') ? readPins(members.get('backupPins')) : [];
  const pinsVersion = members.get('pinsVersion') ?? 0;
  if (pins === undefined || backupPins === undefined) return undefined;
  if (!isVersion(pinsVersion)) return undefined;
  return { device, tenant, kid, broker, enrollment, pins, backupPins, pinsVersion };
}

/** All pins that a connection accepts. */
export function acceptedPins({
  pins,
  backupPins,
}: Pick<BundleSettings, 'pins' | 'backupPins'>): readonly Pin[] {
  return [...pins, ...backupPins];
}

/** Versions of pin sets count up from 1. */
export function isVersion(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Reads `<scheme>://host:port`; the brackets of an IPv6 address are taken off. */
function readUrl(text: string, scheme: 'mqtts' | 'https'): Peer | undefined {
  const [, found, name, address, portText] = URL_FORM.exec(text) ?? [];
  const host = name ?? address;
  const port = Number(portText);
  if (found !== scheme || host === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port };
}

function hostAndPort({ host, port }: Peer): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u;
const URL_FORM = /^(mqtts|https):\/\/(?:([A-Za-z0-9.-]+)|\[([0-9A-Fa-f:.]+)\]):(\d{1,5})\/?$/u;
