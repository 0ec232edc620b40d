/** Pins: the server's certificate or key must be one that the bundle names. @module */
import { type X509Certificate, createHash } from 'node:crypto';
import { spkiOf } from './certificate-chain.ts';
import { PINS_MAX } from './limits.ts';

/** One server identity that the device accepts, by its certificate, its key, or either. */
export interface Pin {
  /** SHA-256 of the certificate (DER): 64 lower-case hexadecimal digits. */
  readonly certificate?: string;
  /** SHA-256 of the subject public key info (DER), base64. @see RFC 7469 §2.4 */
  readonly spki?: string;
}

/**
 * Reads the pins of a bundle: one, or a list with backups for the server's next keys.
 * @returns 1 to {@link PINS_MAX} pins, or undefined when a part is malformed
 */
export function readPins(value: unknown): readonly Pin[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0 || list.length > PINS_MAX) return undefined;
  const pins = list.map(readPin);
  return pins.every((pin) => pin !== undefined) ? pins : undefined;
}

/** Tells whether a certificate is pinned. It says nothing about the chain or the host name. */
export function isPinned(certificate: X509Certificate, pins: readonly Pin[]): boolean {
  const fingerprint = createHash('sha256').update(certificate.raw).digest('hex');
  const spki = createHash('sha256').update(spkiOf(certificate.publicKey)).digest('base64');
  return pins.some((pin) => pin.certificate === fingerprint || pin.spki === spki);
}

/** The forms that curl (`--pinnedpubkey`) and `openssl x509 -fingerprint` use, a line each. */
export function pinLines({ spki, certificate }: Pin): string {
  const spkiLine = spki === undefined ? '' : `sha256//${spki}\n`;
  if (certificate === undefined) return spkiLine;
  const pairs = certificate.toUpperCase().match(/../gu) ?? [];
  return `${spkiLine}SHA256 Fingerprint=${pairs.join(':')}\n`;
}

function readPin(value: unknown): Pin | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const certificate = 'certificate' in value ? value.certificate : undefined;
  const spki = 'spki' in value ? value.spki : undefined;
  if (certificate === undefined && spki === undefined) return undefined;
  // A pin that can match nothing must be seen while there is somebody to see it.
  if (certificate !== undefined && !isMatch(certificate, SHA256_HEX)) return undefined;
  if (spki !== undefined && !isMatch(spki, SHA256_BASE64)) return undefined;
  return {
    ...(typeof certificate === 'string' && { certificate }),
    ...(typeof spki === 'string' && { spki }),
  };
}

function isMatch(value: unknown, form: RegExp): boolean {
  return typeof value === 'string' && form.test(value);
}

const SHA256_HEX = /^[0-9a-f]{64}$/u;
const SHA256_BASE64 = /^[A-Za-z0-9+/]{43}=$/u;
