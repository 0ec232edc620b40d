/** The calls of enrollment: trust anchor, certificate, payload keys. @see RFC 7030 @module */
import type { X509Certificate } from 'node:crypto';
import type { ClaimText } from '@holdfast/protocol';
import { type BundleSettings, readSettingsMembers } from './bundle-settings.ts';
import { readKeyHex } from './bundle.ts';
import { chainFor, findAnchor, readCertificates } from './certificate-chain.ts';
import { certificateRequest } from './certificate-request.ts';
import { readCertsOnly } from './certs-only.ts';
import type { Peer } from './connection-error.ts';
import { DeviceError } from './device-error.ts';
import { type Answer, callHttps } from './https-call.ts';
import type { DeviceIdentity } from './identity-files.ts';
import type { DeviceSigner } from './signer.ts';

/** What a bundle needs besides the private key. */
export interface PayloadKeyFiles {
  readonly settings: BundleSettings;
  /** 64 hexadecimal digits each. */
  readonly payloadKeyHex: string;
  readonly commandKeyHex: string;
}

/** Where the claim says the enrollment listener is. */
export function enrollmentPeer(claim: ClaimText): Peer {
  return { host: claim.host.replace(/^\[(.*)\]$/u, '$1'), port: claim.port };
}

/** The certificates that the enrollment listener shows, and the one that the claim proves. */
export interface AnchorPool {
  readonly anchor: X509Certificate;
  readonly pool: readonly X509Certificate[];
}

/**
 * Fetches the trust anchor over a connection that proves nothing: what makes the anchor authentic
 * is that its hash stands in the claim. Nothing secret is sent.
 *
 * @throws DeviceError `E_DEVICE_ANCHOR` when the pinned certificate is not among those shown
 * @see RFC 7030 §4.1.1
 */
export async function fetchAnchor(claim: ClaimText): Promise<AnchorPool> {
  const answer = await callHttps({
    peer: enrollmentPeer(claim),
    trust: { danger: 'provisional' },
    path: '/.well-known/est/cacerts',
  });
  const pool = answer.status === 200 ? readAnswerCertificates(answer.body) : [];
  const anchor = findAnchor(pool, claim.anchorPin);
  if (anchor !== undefined) return { anchor, pool };
  throw new DeviceError('E_DEVICE_ANCHOR', {
    message: `${claim.host}:${claim.port} does not show the trust anchor that the claim names.`,
    fix: 'Check the address. Else somebody is in between, or the claim is of another server.',
  });
}

/**
 * Sends the claim and the request, over a connection verified against the anchor.
 *
 * @returns the certificate and its issuers, leaf first, without the anchor
 * @throws DeviceError `E_DEVICE_CLAIM_REFUSED`, `E_DEVICE_ENROLL`, or of the connection
 * @see RFC 7030 §4.2.1
 */
export async function fetchCertificate(
  claim: ClaimText,
  { signer, anchor, pool }: AnchorPool & { signer: DeviceSigner },
): Promise<X509Certificate[]> {
  const credential = Buffer.from(`${claim.deviceId}:${claim.secret}`, 'utf8').toString('base64');
  const answer = await callHttps({
    peer: enrollmentPeer(claim),
    trust: { anchorPem: anchor.toString() },
    path: '/.well-known/est/simpleenroll',
    post: {
      body: await requestBody(signer, claim.deviceId),
      headers: { authorization: `Basic ${credential}`, ...REQUEST_HEADERS },
    },
  });
  if (answer.status === 401 || answer.status === 403) throw claimRefused(answer);
  if (answer.status !== 200) throw unexpected('simpleenroll', answer);
  const delivered = readAnswerCertificates(answer.body);
  // RFC 7030 §4.2.3 lets the answer hold the leaf alone; its issuers are then among the cacerts.
  const chain = chainFor(signer.publicKey, { pool: [...delivered, ...pool], anchor });
  if (chain !== undefined) return chain;
  throw new DeviceError('E_DEVICE_ENROLL', {
    message: 'The answer holds no certificate for the key of this device that leads to the anchor.',
    fix: 'Look at the log of the server.',
  });
}

/**
 * Fetches the payload keys with the new certificate.
 * @throws DeviceError `E_DEVICE_ENROLL` for any answer but the keys of this device
 */
export async function fetchPayloadKeys(
  claim: ClaimText,
  trust: {
    readonly anchorPem: string;
    readonly identity: Pick<DeviceIdentity, 'certificatePem' | 'tlsKey'>;
  },
): Promise<PayloadKeyFiles> {
  const answer = await callHttps({
    peer: enrollmentPeer(claim),
    trust,
    path: '/v1/device/payload-keys',
  });
  if (answer.status !== 200) throw unexpected('payload-keys', answer);
  const keys = readPayloadKeys(answer.body);
  if (keys !== undefined && keys.settings.device === claim.deviceId) return keys;
  throw new DeviceError('E_DEVICE_ENROLL', {
    message: 'The payload keys of the server do not have their form, or are of another device.',
    fix: 'Use a device SDK and a server of the same version.',
  });
}

/** Reads the answer to payload-keys. */
function readPayloadKeys(body: string): PayloadKeyFiles | undefined {
  const value = parseJson(body);
  const settings = readSettingsMembers(value);
  if (settings === undefined || typeof value !== 'object' || value === null) return undefined;
  const { payloadKey, commandKey }: Record<string, unknown> = { ...value };
  if (typeof payloadKey !== 'string' || typeof commandKey !== 'string') return undefined;
  if (readKeyHex(payloadKey) === undefined || readKeyHex(commandKey) === undefined)
    return undefined;
  // With one key for both directions, what a device sent could be played back to it as a command.
  if (payloadKey === commandKey) return undefined;
  return { settings, payloadKeyHex: payloadKey, commandKeyHex: commandKey };
}

/** The body of a request for a certificate. RFC 7030 §4.2.1 */
export async function requestBody(signer: DeviceSigner, deviceId: string): Promise<string> {
  return Buffer.from(await certificateRequest(signer, deviceId)).toString('base64');
}

/** What goes with {@link requestBody}. */
export const REQUEST_HEADERS = {
  'content-type': 'application/pkcs10',
  'content-transfer-encoding': 'base64',
} as const;

/** The certificates of a certs-only answer; none when it is malformed. */
export function readAnswerCertificates(body: string): X509Certificate[] {
  return readCertificates(readCertsOnly(body) ?? []) ?? [];
}

function claimRefused(answer: Answer): DeviceError {
  return new DeviceError('E_DEVICE_CLAIM_REFUSED', {
    message: `The server does not accept the claim (${describeAnswer(answer)}).`,
    fix: 'Make a new one: holdfast device claim <id>. If nobody used this one, somebody else did.',
  });
}

function unexpected(call: string, answer: Answer): DeviceError {
  return new DeviceError('E_DEVICE_ENROLL', {
    message: `The server answered ${call} with ${describeAnswer(answer)}.`,
    fix: 'Look at the refusals on the server; they name the reason.',
  });
}

/** The status and, when the server gave one, its refusal code. Its free text is not repeated. */
export function describeAnswer({ status, body }: Answer): string {
  const code = REFUSAL_CODE.exec(body)?.[1];
  return code === undefined ? `HTTP ${status}` : `HTTP ${status}, ${code}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const REFUSAL_CODE = /"code"\s*:\s*"(E_[A-Z0-9_]{1,60})"/u;
