/** Keys in a PKCS #11 token: a TPM, a secure element, an HSM. They are used and never seen. @module */
import { type KeyObject, createHash, createPublicKey, randomBytes } from 'node:crypto';
import { derSequence, derUnsigned } from './der-writer.ts';
import type { DeviceKey, DeviceToken } from './device-key.ts';
import type { TokenMacKey } from './mac-key.ts';
import { announceEngine, engineKey } from './openssl-engine.ts';
import { CK, type Handle, loadPkcs11, tokenError } from './pkcs11-port.ts';
import { type TokenKeyName, formatKeyUri, parseKeyUri, pemOfUri, uriOfPem } from './pkcs11-uri.ts';
import { TokenSession } from './token-session.ts';

/** Which token, and how to open it. */
export interface TokenOptions {
  /** Path of the PKCS #11 library of its maker, such as `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly module: string;
  /** Label of the token. */
  readonly label: string;
  /**
   * Gives the user PIN, once. Read it from a file descriptor or ask somebody for it: what stands
   * in the arguments or the environment of a process, others can read.
   */
  readonly pin: () => string | Promise<string>;
  /** Path of libp11's engine for OpenSSL. Default: where Debian puts it. */
  readonly engine?: string;
}

/**
 * Opens a token. It needs the optional package pkcs11js, and libp11's engine for OpenSSL: see the
 * guide of the device SDK. One process can use the tokens of one PKCS #11 module.
 *
 * @throws DeviceError `E_DEVICE_TOKEN`
 * @example
 * const token = await openToken({
 *   module: '/usr/lib/softhsm/libsofthsm2.so',
 *   label: 'thermostat-1',
 *   pin: () => readFileSync(3, 'utf8').trim(), // The file descriptor 3.
 * });
 * await enroll({ claim, out: './thermostat-1', token });
 * const device = connect({ bundle: './thermostat-1', token });
 */
export async function openToken(options: TokenOptions): Promise<Token> {
  const { module, label, engine } = options;
  announceEngine(module, engine);
  const pkcs11 = await loadPkcs11(module);
  return new Token(TokenSession.open(pkcs11, { label, pin: await options.pin() }), label);
}

/** An open token. Made by {@link openToken}. */
export class Token implements DeviceToken {
  readonly #session: TokenSession;
  readonly #label: string;

  constructor(session: TokenSession, label: string) {
    this.#session = session;
    this.#label = label;
  }

  plan(): string {
    return pemOfUri(formatKeyUri(this.#newName('private')));
  }

  make(text: string): DeviceKey {
    const name = this.#nameOf(uriOfPem(text), 'private');
    if (this.#session.find(CK.CKO_PRIVATE_KEY, name.id) === undefined) {
      this.#session.generateP256(name);
    }
    return this.open(text);
  }

  open(text: string): DeviceKey {
    const uri = uriOfPem(text) ?? '';
    const { id } = this.#nameOf(uri, 'private');
    const key = this.#require(CK.CKO_PRIVATE_KEY, id);
    const publicKey = this.#publicKey(id);
    const tlsKey = engineKey(uri);
    return {
      signer: { algorithm: 'ES256', publicKey, sign: (data) => this.#signEcdsa(key, data) },
      tlsKey: () => tlsKey,
    };
  }

  remove(text: string): void {
    const name = parseKeyUri(uriOfPem(text) ?? '');
    if (name === undefined) return;
    for (const kind of [CK.CKO_PRIVATE_KEY, CK.CKO_PUBLIC_KEY]) {
      this.#session.destroy(kind, name.id);
    }
  }

  /**
   * Puts a key for HMAC-SHA256 into the token, from where it cannot be read again.
   * @returns what stands for it in `payload.key`
   */
  importMacKey(key: KeyObject): string {
    const name = this.#newName('secret-key');
    this.#session.importSecret(name, key.export());
    return formatKeyUri(name);
  }

  /** The key of such a text. @throws DeviceError `E_DEVICE_TOKEN` when it is not in the token */
  macKey(text: string): TokenMacKey {
    const { id } = this.#nameOf(text.trim(), 'secret-key');
    const key = this.#require(CK.CKO_SECRET_KEY, id);
    return { hmacSha256: (data) => this.#session.sign(CK.CKM_SHA256_HMAC, key, data) };
  }

  /** Ends the session; keys that were taken from the token stop working. */
  close(): void {
    this.#session.close();
  }

  #newName(type: TokenKeyName['type']): TokenKeyName {
    const id = randomBytes(16);
    return { token: this.#label, object: `holdfast-${id.toString('hex', 0, 4)}`, id, type };
  }

  #nameOf(uri: string | undefined, type: TokenKeyName['type']): TokenKeyName {
    const name = parseKeyUri(uri ?? '');
    if (name?.type === type && name.token === this.#label) return name;
    throw tokenError(
      `The bundle does not name a key in the token ${this.#label}`,
      'Open the token with which the device was enrolled; or load the bundle without one.',
    );
  }

  #require(kind: number, id: Uint8Array): Handle {
    const key = this.#session.find(kind, id);
    if (key !== undefined) return key;
    throw tokenError(`A key of the bundle is not in the token ${this.#label}`);
  }

  #publicKey(id: Uint8Array): KeyObject {
    const point = this.#session.ecPoint(this.#require(CK.CKO_PUBLIC_KEY, id));
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) =>
      half.toString('base64url'),
    );
    if (point.length !== 65 || x === undefined || y === undefined) {
      throw tokenError('The key in the token is none on P-256');
    }
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  }

  /** Tokens sign hashes and give r and s; certificates want DER. RFC 3279 §2.2.3 */
  #signEcdsa(key: Handle, data: Uint8Array): Uint8Array {
    const hash = createHash('sha256').update(data).digest();
    const raw = this.#session.sign(CK.CKM_ECDSA, key, hash);
    return derSequence(derUnsigned(raw.subarray(0, 32)), derUnsigned(raw.subarray(32)));
  }
}
