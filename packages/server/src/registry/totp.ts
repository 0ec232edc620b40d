/** Codes of authenticator apps: RFC 6238 with SHA-1, 30 seconds and 6 digits, which all of them do. @module */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Bytes of a secret: as many as the hash has. RFC 4226 §4 */
export const TOTP_SECRET_BYTES = 20;
const STEP_MS = 30_000;
const DIGITS = 6;
/** Steps by which the clock of a phone may be off, either way. */
const SKEW_STEPS = 1;

/** The code of one time step. RFC 4226 §5.3 */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0');
}

/** The time step of a moment. */
export function totpStep(nowMs: number): number {
  return Math.floor(nowMs / STEP_MS);
}

/**
 * The time step that a code belongs to: this one, the one before or the one after, and later than
 * `lastStep`, so that a code that somebody looked at over the shoulder is good for nothing.
 * @returns undefined when the code is of none of them.
 */
export function matchingStep(
  secret: Uint8Array,
  code: string,
  { nowMs, lastStep }: { nowMs: number; lastStep: number },
): number | undefined {
  const now = totpStep(nowMs);
  let found: number | undefined;
  for (let step = now - SKEW_STEPS; step <= now + SKEW_STEPS; step++) {
    if (isSame(totpCode(secret, step), code) && step > lastStep) found = step;
  }
  return found;
}

/** What an authenticator app reads: the key URI that all of them know. */
export function totpUri({
  secret,
  issuer,
  name,
}: {
  readonly secret: Uint8Array;
  readonly issuer: string;
  readonly name: string;
}): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(name)}`;
  const parameters = `secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}`;
  return `otpauth://totp/${label}?${parameters}&algorithm=SHA1&digits=${DIGITS}&period=30`;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Base32 without padding, as authenticator apps take it. RFC 4648 §6 */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let waiting = 0;
  for (const byte of bytes) {
    waiting = (waiting << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET.charAt((waiting >>> bits) & 31);
    }
    waiting &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET.charAt((waiting << (5 - bits)) & 31) : text;
}

function isSame(one: string, other: string): boolean {
  const [oneBytes, otherBytes] = [Buffer.from(one, 'utf8'), Buffer.from(other, 'utf8')];
  return oneBytes.length === otherBytes.length && timingSafeEqual(oneBytes, otherBytes);
}
