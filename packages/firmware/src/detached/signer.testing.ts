/** Release keys for tests. @module */
import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { KeyAlgorithm } from '../metadata/index.ts';
import { type Signer, memorySigner } from '../request/index.ts';

/** A new key. */
export function testSigner(
  algorithm: KeyAlgorithm,
): Signer & { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  const { publicKey, privateKey } =
    algorithm === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...memorySigner(privateKey), publicKey, privateKey };
}
