/** Where the private key of a device is, and how it is used: a file here, a token elsewhere. @module */
import { type KeyObject, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { TokenMacKey } from './mac-key.ts';
import { type DeviceSigner, keySigner } from './signer.ts';

/** What node:tls is given as the key of a client: itself, or where OpenSSL finds it. */
export type TlsKey =
  /** PEM. */
  | { readonly key: string }
  /** An OpenSSL engine, and the name that it knows the key by. */
  | { readonly privateKeyEngine: string; readonly privateKeyIdentifier: string };

/** A private key with what every use of it needs. */
export interface DeviceKey {
  readonly signer: DeviceSigner;
  readonly tlsKey: () => TlsKey;
}

/** A private key that is in a file of the bundle. */
export interface FileKey extends DeviceKey {
  /** A handle: printing it prints no key. */
  readonly privateKey: KeyObject;
}

/** A place that makes and keeps private keys on P-256. */
export interface KeyStore<K extends DeviceKey = DeviceKey> {
  /**
   * What will stand in the file of a new key. It is written before the key is used, so that an
   * interrupted renewal goes on with the same key.
   */
  plan(): string;
  /** Makes the key of such a text, or opens it if it is made already. */
  make(text: string): K;
  /** Opens a key that was made. Throws when there is none. */
  open(text: string): K;
  /** Removes a key that was replaced, as far as its file is not all there is of it. */
  remove(text: string): void;
}

/** A place for all keys of a device, from which none can be read: a {@link Token} or your own. */
export interface DeviceToken extends KeyStore {
  /**
   * Takes the key that signs what the device sends.
   * @returns what stands for it in `payload.key`
   */
  importMacKey(key: KeyObject): string;
  /** The key of such a text. Throws when there is none. */
  macKey(text: string): TokenMacKey;
}

/** Keys that are in the files of the bundle themselves. */
export const fileKeys: KeyStore<FileKey> = {
  plan() {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return privateKey.export({ format: 'pem', type: 'pkcs8' });
  },
  make: (text) => openPem(text),
  open: (text) => openPem(text),
  remove() {},
};

function openPem(text: string): FileKey {
  const privateKey = createPrivateKey({ key: text, format: 'pem' });
  return {
    privateKey,
    signer: keySigner(privateKey),
    tlsKey: () => ({ key: privateKey.export({ format: 'pem', type: 'pkcs8' }) }),
  };
}
