/** The key that signs checkpoints, in the forms that the log needs. @module */
import { type KeyObject, createPublicKey, hash, verify } from 'node:crypto';
import {
  type CheckpointVerifier,
  type NoteVerifier,
  Problem,
  type Sha256,
  formatVerifierKey,
  parseVerifierKey,
} from '@holdfast/protocol/merkle';
import type { KeyHandle } from '../crypto/index.ts';

/** SHA-256 by OpenSSL. One character a byte: half the time of a Buffer that OpenSSL makes. */
export const sha256: Sha256 = (data) => Buffer.from(hash('sha256', data, 'latin1'), 'latin1');

/** DER before the 32 bytes of an Ed25519 public key in SubjectPublicKeyInfo. RFC 8410 §4 */
const ED25519_SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The 32 bytes of an Ed25519 public key. */
export function rawPublicKey(key: KeyObject): Uint8Array {
  const spki = key.export({ format: 'der', type: 'spki' });
  return spki.subarray(ED25519_SPKI_PREFIX.length);
}

/** The public text with which anyone can verify the checkpoints of this log. */
export function verifierKeyText(origin: string, handle: KeyHandle): string {
  return formatVerifierKey(sha256, { name: origin, publicKey: rawPublicKey(handle.publicKey) });
}

/** A verifier made from that text. */
export function checkpointVerifier(text: string): CheckpointVerifier | Problem {
  const key = parseVerifierKey(sha256, text.trim());
  if (key instanceof Problem) return key;
  const publicKey = keyObjectOf(key.publicKey);
  return {
    ...key,
    verify: ({ message, signature }) => verify(null, message, publicKey, signature),
  };
}

/** Verifies an Ed25519 signature of any key. RFC 8032 */
export const ed25519Verify: NoteVerifier['verify'] = ({ publicKey, message, signature }) =>
  verify(null, message, keyObjectOf(publicKey), signature);

function keyObjectOf(publicKey: Uint8Array): KeyObject {
  const spki = Buffer.concat([ED25519_SPKI_PREFIX, publicKey]);
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}
