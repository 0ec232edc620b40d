/**
 * Fernet tokens, for teams that come from Python (`cryptography.fernet`). New data is better kept in
 * the device's own store, which is AES-256-GCM: Fernet shows when a token was made, and encrypts
 * under 128 bits.
 * @see the Fernet specification (version 0x80): AES-128-CBC, PKCS #7 padding, HMAC-SHA256
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { DeviceError } from './device-error.ts';
import { FERNET_TOKEN_CHARACTERS_MAX } from './limits.ts';

/** Encrypts and opens Fernet tokens under one key, or several while one takes over from another. */
export class Fernet {
  readonly #keys: readonly FernetKey[];

  /**
   * @param keys - each 32 bytes in URL-safe base64, as `Fernet.generate_key()` of Python gives
   *   them; the first one encrypts, all of them open.
   * @throws DeviceError `E_DEVICE_FERNET_KEY`
   */
  constructor(keys: string | readonly [string, ...string[]]) {
    this.#keys = (typeof keys === 'string' ? [keys] : keys).map(parseKey);
  }

  /** A new key, in the form that the constructor and Python take. It is a secret. */
  static generateKey(): string {
    return padded(randomBytes(KEY_BYTES));
  }

  /**
   * Encrypts.
   * @param options.atMs - the time that the token says, milliseconds since 1970; now by default.
   * @returns the token, URL-safe base64. Whoever sees it sees the time, and the length to 16 bytes.
   */
  encrypt(plaintext: Uint8Array, options: { readonly atMs?: number } = {}): string {
    const { atMs = Date.now() } = options;
    return this.seal(plaintext, { atS: Math.floor(atMs / 1_000), iv: randomBytes(IV_BYTES) });
  }

  /**
   * Opens a token.
   * @param options.ttlS - how many seconds old it may be at most; without it, any age.
   * @param options.nowMs - milliseconds since 1970; the machine's clock by default.
   * @throws DeviceError `E_DEVICE_FERNET_TOKEN`, which does not say which part is wrong.
   */
  decrypt(
    token: string,
    options: { readonly ttlS?: number; readonly nowMs?: number } = {},
  ): Buffer {
    const bytes = decodeToken(token);
    if (bytes === undefined) throw tokenError();
    const nowS = Math.floor((options.nowMs ?? Date.now()) / 1_000);
    for (const key of this.#keys) {
      const opened = openWith(key, bytes);
      if (opened === undefined) continue;
      // The time is looked at only once the token has proven to be one of ours.
      if (options.ttlS !== undefined && !isInTime(bytes, { ttlS: options.ttlS, nowS })) break;
      return opened;
    }
    throw tokenError();
  }

  /** Opens a token under any of the keys, and encrypts it under the first; its time stays. */
  rotate(token: string): string {
    const plaintext = this.decrypt(token);
    const atS = Number(decodeToken(token)?.readBigUInt64BE(1) ?? 0);
    return this.seal(plaintext, { atS, iv: randomBytes(IV_BYTES) });
  }

  /** Encrypts with a given vector, which must be random and new: only for the tests of vectors. */
  protected seal(plaintext: Uint8Array, { atS, iv }: { atS: number; iv: Uint8Array }): string {
    const [key] = this.#keys;
    if (key === undefined) throw keyError();
    const cipher = createCipheriv('aes-128-cbc', key.encryption, iv);
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(atS));
    const body = [Buffer.from([VERSION]), time, iv, cipher.update(plaintext), cipher.final()];
    const signed = Buffer.concat(body);
    return padded(Buffer.concat([signed, macOf(key, signed)]));
  }
}

interface FernetKey {
  readonly signing: Buffer;
  readonly encryption: Buffer;
}

function parseKey(text: string): FernetKey {
  const bytes = decodeBase64Url(text);
  if (bytes?.length !== KEY_BYTES) throw keyError();
  return { signing: bytes.subarray(0, 16), encryption: bytes.subarray(16) };
}

function decodeToken(token: string): Buffer | undefined {
  if (token.length > FERNET_TOKEN_CHARACTERS_MAX) return undefined;
  const bytes = decodeBase64Url(token);
  if (bytes === undefined || bytes.length < TOKEN_BYTES_MIN || bytes[0] !== VERSION) {
    return undefined;
  }
  return (bytes.length - HEADER_BYTES - MAC_BYTES) % IV_BYTES === 0 ? bytes : undefined;
}

/** One text for one sequence of bytes: no other alphabet, no missing or spare padding. */
function decodeBase64Url(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9_-]*={0,2}$/u.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return padded(bytes) === text ? bytes : undefined;
}

function openWith(key: FernetKey, bytes: Buffer): Buffer | undefined {
  const signed = bytes.subarray(0, -MAC_BYTES);
  if (!timingSafeEqual(macOf(key, signed), bytes.subarray(-MAC_BYTES))) return undefined;
  const iv = signed.subarray(HEADER_BYTES - IV_BYTES, HEADER_BYTES);
  const decipher = createDecipheriv('aes-128-cbc', key.encryption, iv);
  try {
    return Buffer.concat([decipher.update(signed.subarray(HEADER_BYTES)), decipher.final()]);
  } catch {
    // Signed, but padded wrongly: whoever made it does not follow the specification.
    return undefined;
  }
}

function isInTime(bytes: Buffer, { ttlS, nowS }: { ttlS: number; nowS: number }): boolean {
  const atS = Number(bytes.readBigUInt64BE(1));
  return atS + ttlS >= nowS && atS <= nowS + CLOCK_SKEW_S;
}

function macOf({ signing }: FernetKey, signed: Uint8Array): Buffer {
  return createHmac('sha256', signing).update(signed).digest();
}

function padded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

function keyError(): DeviceError {
  return new DeviceError('E_DEVICE_FERNET_KEY', {
    message: 'That is no Fernet key: one is 32 bytes in URL-safe base64, 44 characters.',
    fix: 'Take the output of Fernet.generateKey(), or of Fernet.generate_key() in Python.',
  });
}

function tokenError(): DeviceError {
  return new DeviceError('E_DEVICE_FERNET_TOKEN', {
    message: 'The Fernet token does not open: changed, of another key, too old, or of the future.',
    fix: 'Check the key and the time to live; it is not told which of them is wrong.',
  });
}

const VERSION = 0x80;
const KEY_BYTES = 32;
const IV_BYTES = 16;
const MAC_BYTES = 32;
const HEADER_BYTES = 1 + 8 + IV_BYTES;
/** A plaintext of nothing is padded to one block. */
const TOKEN_BYTES_MIN = HEADER_BYTES + IV_BYTES + MAC_BYTES;
/** As much as Python's implementation allows a clock to be ahead. */
const CLOCK_SKEW_S = 60;
