/**
 * The client's side of SCRAM-SHA-256: proves that it has the API key without sending it, and
 * demands the same of the server.
 * @see RFC 5802, RFC 7677
 * @module
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { ApiKey } from './api-key.ts';
import { DeviceError } from './device-error.ts';
import { SCRAM_ITERATIONS_MAX, SCRAM_ITERATIONS_MIN, SCRAM_MESSAGE_BYTES_MAX } from './limits.ts';

/** Name of the mechanism, and of the authentication method of MQTT 5. */
export const SCRAM_METHOD = 'SCRAM-SHA-256';

/** Who proves what. */
export interface ScramOptions {
  /** The device id; it has none of the characters that SCRAM escapes. */
  readonly userName: string;
  readonly apiKey: Pick<ApiKey, 'expose'>;
  /** For tests: printable ASCII without a comma. Default: 18 random bytes, base64. */
  readonly nonce?: string;
}

/** One exchange: {@link first}, then {@link final} once, then {@link verify} once. */
export class ScramClient {
  readonly #options: ScramOptions;
  readonly #nonce: string;
  #serverSignature: Buffer | undefined;
  #isVerified = false;

  constructor(options: ScramOptions) {
    this.#options = options;
    this.#nonce = options.nonce ?? randomBytes(18).toString('base64');
  }

  /** True once the server has proven that it knows the key too. */
  get isVerified(): boolean {
    return this.#isVerified;
  }

  /** The client-first-message. RFC 5802 §7 */
  get first(): Uint8Array {
    return Buffer.from(`${GS2_HEADER}${this.#firstBare}`, 'ascii');
  }

  /**
   * The client-final-message, for the server-first-message.
   * @throws DeviceError `E_DEVICE_API_KEY`
   */
  async final(serverFirst: Uint8Array | undefined): Promise<Uint8Array> {
    const challenge = textOf(serverFirst);
    const { nonce, salt, iterations } = this.#readChallenge(challenge);
    const key = this.#options.apiKey.expose();
    const salted = await deriveKey(key, salt, iterations, 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash('sha256').update(clientKey).digest();
    const withoutProof = `c=${Buffer.from(GS2_HEADER, 'ascii').toString('base64')},r=${nonce}`;
    const authMessage = `${this.#firstBare},${challenge},${withoutProof}`;
    const clientSignature = hmac(storedKey, authMessage);
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), authMessage);
    const proof = clientKey.map((byte, i) => byte ^ (clientSignature[i] ?? 0));
    return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`, 'ascii');
  }

  /**
   * Checks the server-final-message.
   * @throws DeviceError `E_DEVICE_API_KEY` unless the server has proven that it knows the key
   */
  verify(serverFinal: Uint8Array | undefined): void {
    const [, base64 = ''] = SERVER_FINAL.exec(textOf(serverFinal)) ?? [];
    const given = Buffer.from(base64, 'base64');
    const expected = this.#serverSignature;
    const isSame =
      expected !== undefined &&
      given.length === expected.length &&
      timingSafeEqual(given, expected);
    if (!isSame) throw scramError('the server does not prove that it knows the API key');
    this.#isVerified = true;
  }

  get #firstBare(): string {
    return `n=${this.#options.userName},r=${this.#nonce}`;
  }

  #readChallenge(text: string): { nonce: string; salt: Buffer; iterations: number } {
    const [, nonce = '', salt = '', count = ''] = SERVER_FIRST.exec(text) ?? [];
    // A nonce of the server's alone would let an old exchange be played again. RFC 5802 §5.1
    const isFresh = nonce.startsWith(this.#nonce) && nonce.length > this.#nonce.length;
    const iterations = Number(count);
    if (!isFresh) throw scramError('the challenge of the server is none');
    if (iterations < SCRAM_ITERATIONS_MIN || iterations > SCRAM_ITERATIONS_MAX) {
      throw scramError(`the server asks for ${iterations} iterations`);
    }
    return { nonce, salt: Buffer.from(salt, 'base64'), iterations };
  }
}

const deriveKey = promisify(pbkdf2);

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'ascii').digest();
}

function textOf(bytes: Uint8Array | undefined): string {
  if (bytes === undefined || bytes.length > SCRAM_MESSAGE_BYTES_MAX) return '';
  return Buffer.from(bytes).toString('latin1');
}

function scramError(what: string): DeviceError {
  return new DeviceError('E_DEVICE_API_KEY', {
    message: `The API key could not be proven: ${what}.`,
    fix: 'Make a new one: holdfast device api-key create <id>, and put it into api.key.',
  });
}

/** No channel binding, no other identity. RFC 5802 §7 */
const GS2_HEADER = 'n,,';
/** Nonce, salt, iterations. An extension that is mandatory ("m=") is none that is known here. */
const SERVER_FIRST =
  /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9]\d{0,9})(?:,[\x20-\x7e]*)?$/u;
const SERVER_FINAL = /^v=([A-Za-z0-9+/]{43}=)(?:,[\x20-\x7e]*)?$/u;
