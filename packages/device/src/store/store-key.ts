/** The key of what a device stores for itself. @module */
import { type KeyObject, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readKeyHex } from '../bundle.ts';
import { type MacKey, hmacSha256 } from '../mac-key.ts';
import { readPrivateFile, writePrivateFile } from '../private-file.ts';
import { storeError } from './store-error.ts';

/** Gives a key for each thing that is sealed. Printing it prints no key. */
export class StoreKey {
  readonly #root: KeyObject;

  private constructor(root: Uint8Array) {
    this.#root = createSecretKey(root);
  }

  /**
   * Derives it from the payload key of a device, in a file or in a token: what is stored opens
   * wherever the device can sign, and nowhere else.
   */
  static derive(payloadKey: MacKey): StoreKey {
    // One step of HKDF-Expand, RFC 5869 §2.3: the payload key is random, and a token can do HMAC.
    // Nothing that a device signs begins like the label.
    return new StoreKey(hmacSha256(payloadKey, Buffer.from(`${LABEL}\u0001`, 'latin1')));
  }

  /**
   * Reads it from a file of mode 0600; makes one with a random key when there is none.
   * @throws DeviceError `E_DEVICE_STORE`, `E_DEVICE_MODE`, `E_DEVICE_BUNDLE`
   */
  static file(path: string): StoreKey {
    if (!existsSync(path)) writePrivateFile(path, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
    const key = readKeyHex(readPrivateFile(path, 'secret'));
    if (key === undefined) throw storeError(`${path} is no key of 64 hexadecimal digits`);
    return new StoreKey(key.export());
  }

  /**
   * A key for AES-256-GCM.
   * @param salt - 16 random bytes, new for each thing that is sealed: no nonce counts twice.
   */
  subkey(purpose: string, salt: Uint8Array): KeyObject {
    const bytes = hkdfSync('sha256', this.#root, salt, `${LABEL} ${purpose}`, KEY_BYTES);
    return createSecretKey(new Uint8Array(bytes));
  }
}

const LABEL = 'holdfast/device-store/v1';
const KEY_BYTES = 32;
