/** Signing keys behind a handle, so that the key itself may live in a file, a token or a KMS. @module */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Secret } from '../kernel/index.ts';

/** What a key signs with: ECDSA on P-256 with SHA-256 (DER signature), or Ed25519. */
export type SignatureAlgorithm = 'ES256' | 'Ed25519';

/** A private key that can be used, but not read. */
export interface KeyHandle {
  readonly algorithm: SignatureAlgorithm;
  readonly publicKey: KeyObject;
  /** Signature over `data`; DER-encoded for ES256, 64 bytes for Ed25519. */
  sign(data: Uint8Array): Uint8Array;
}

/** A new private key as PKCS#8 DER, to be sealed at once. */
export function generatePrivateKey(algorithm: SignatureAlgorithm): Secret<Uint8Array> {
  const { privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519');
  return new Secret(privateKey.export({ format: 'der', type: 'pkcs8' }));
}

/** A handle on a private key that stands in this process's memory. */
export function softwareKeyHandle(
  algorithm: SignatureAlgorithm,
  pkcs8: Secret<Uint8Array>,
): KeyHandle {
  const privateKey = createPrivateKey({
    key: Buffer.from(pkcs8.expose()),
    format: 'der',
    type: 'pkcs8',
  });
  const digest = algorithm === 'ES256' ? 'sha256' : null;
  return {
    algorithm,
    publicKey: createPublicKey(privateKey),
    sign: (data) => sign(digest, data, privateKey),
  };
}
