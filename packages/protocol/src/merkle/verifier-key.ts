/** Keys that sign notes as a log. C2SP signed-note. @module */
import type { Problem } from './problem.ts';
import type { Sha256 } from './tree.ts';
import { type KeyKind, type VerifierKey, formatKey, keyIdOf, parseKey } from './typed-key.ts';

export { KEY_ID_BYTES, type VerifierKey } from './typed-key.ts';

/** A plain Ed25519 note signature. */
const ED25519: KeyKind = {
  type: 0x01,
  noun: 'verifier key',
  otherType: 'the verifier key is no Ed25519 key',
};

/**
 * Id that marks a key's signatures: the first 4 bytes of SHA-256(name, newline, 0x01, public key).
 * @throws RangeError if the name is no key name, or the key has not 32 bytes.
 */
export function noteKeyId(sha256: Sha256, key: VerifierKey): Uint8Array {
  return keyIdOf(sha256, key, ED25519);
}

/**
 * Text form of a verifier key, `<name>+<hex key id>+<base64(0x01 and public key)>`.
 * @throws RangeError if the name is no key name, or the key has not 32 bytes.
 */
export function formatVerifierKey(sha256: Sha256, key: VerifierKey): string {
  return formatKey(sha256, key, ED25519);
}

/** Parses the text form of an Ed25519 verifier key, and checks the key id in it. */
export function parseVerifierKey(sha256: Sha256, text: string): VerifierKey | Problem {
  return parseKey(sha256, text, ED25519);
}
