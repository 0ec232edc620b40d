/** Whoever signs: a key in memory, in a sealed file, in a PKCS #11 token. @module */
import { type KeyObject, createPublicKey, sign } from 'node:crypto';
import type { Key } from '@tufjs/models';
import { keyAlgorithm, keyOf } from '../metadata/index.ts';

/** Uses a private key without showing it. */
export interface Signer {
  readonly key: Key;
  /** Signs data, which is hashed here. @returns Ed25519: 64 bytes; ECDSA: DER, over SHA-256 */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** The signer of a private key in memory, on Ed25519 or P-256. */
export function memorySigner(privateKey: KeyObject): Signer {
  const key = keyOf(createPublicKey(privateKey));
  if (keyAlgorithm(key) === 'ed25519') return { key, sign: (data) => sign(null, data, privateKey) };
  return { key, sign: (data) => sign('sha256', data, { key: privateKey, dsaEncoding: 'der' }) };
}
