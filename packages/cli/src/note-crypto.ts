/** Hash and signature check of the log's notes, by OpenSSL. @module */
import { createPublicKey, hash, verify } from 'node:crypto';
import type { NoteVerifier, Sha256 } from '@holdfast/protocol/merkle';

/** SHA-256. */
export const sha256: Sha256 = (data) => hash('sha256', data, 'buffer');

/** Verifies Ed25519 signatures. RFC 8032 */
export const verifyEd25519: NoteVerifier['verify'] = ({ publicKey, message, signature }) => {
  const x = publicKey.toBase64({ alphabet: 'base64url', omitPadding: true });
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, message, key, signature);
};
