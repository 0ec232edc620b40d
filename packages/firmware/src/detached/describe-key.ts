/** What a public key is called, and how it signs. @module */
import type { KeyObject } from 'node:crypto';
import { type KeyAlgorithm, keyAlgorithm, keyOf } from '../metadata/index.ts';

/** Its id in TUF, and its algorithm. @throws TypeError for another kind of key */
export function describeKey(publicKey: KeyObject): {
  readonly keyId: string;
  readonly algorithm: KeyAlgorithm;
} {
  const key = keyOf(publicKey);
  return { keyId: key.keyID, algorithm: keyAlgorithm(key) };
}
