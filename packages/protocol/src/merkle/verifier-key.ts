/** Names, ids and the text form of Ed25519 keys that sign notes. C2SP signed-note. @module */
import { fromBase64 } from './base64.ts';
import { isKeyName } from './note-text.ts';
import { Problem } from './problem.ts';
import type { Sha256 } from './tree.ts';

/** A key that verifies notes: what a verifier is configured with. */
export interface VerifierKey {
  /** Name of the signer, by the convention of C2SP a URL without scheme. See {@link isKeyName}. */
  readonly name: string;
  /** Ed25519 public key, the 32 bytes of RFC 8032. */
  readonly publicKey: Uint8Array;
}

/** Bytes of a key id. */
export const KEY_ID_BYTES = 4;

/** Bytes of an Ed25519 public key. */
const PUBLIC_KEY_BYTES = 32;

/** Signature type of a plain Ed25519 note signature. */
const ED25519 = 0x01;

/**
 * Id that marks a key's signatures: the first 4 bytes of SHA-256(name, newline, 0x01, public key).
 * @throws RangeError if the name is no key name, or the key has not 32 bytes.
 */
export function noteKeyId(sha256: Sha256, { name, publicKey }: VerifierKey): Uint8Array {
  if (!isKeyName(name)) throw new RangeError('a key name has no space, plus or control character');
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new RangeError('an Ed25519 key has 32 bytes');
  const prefix = new TextEncoder().encode(`${name}\n`);
  const preimage = new Uint8Array(prefix.length + 1 + PUBLIC_KEY_BYTES);
  preimage.set(prefix);
  preimage.set(typedKey(publicKey), prefix.length);
  return new Uint8Array(sha256(preimage).subarray(0, KEY_ID_BYTES));
}

/**
 * Text form of a verifier key, `<name>+<hex key id>+<base64(0x01 and public key)>`.
 * @throws RangeError if the name is no key name, or the key has not 32 bytes.
 */
export function formatVerifierKey(sha256: Sha256, key: VerifierKey): string {
  return `${key.name}+${noteKeyId(sha256, key).toHex()}+${typedKey(key.publicKey).toBase64()}`;
}

/** Parses the text form of an Ed25519 verifier key, and checks the key id in it. */
export function parseVerifierKey(sha256: Sha256, text: string): VerifierKey | Problem {
  const [name = '', id = '', ...rest] = text.split('+');
  // Base64 may contain plus signs of its own.
  const typed = fromBase64(rest.join('+'));
  if (!isKeyName(name)) return new Problem('a verifier key starts with a key name and a plus');
  if (typed === undefined) return new Problem('the verifier key does not end in base64');
  if (typed[0] !== ED25519 || typed.length !== 1 + PUBLIC_KEY_BYTES) {
    return new Problem('the verifier key is no Ed25519 key');
  }
  const key = { name, publicKey: typed.slice(1) };
  if (noteKeyId(sha256, key).toHex() !== id) {
    return new Problem('the key id in the verifier key is not that of its name and key');
  }
  return key;
}

function typedKey(publicKey: Uint8Array): Uint8Array {
  const typed = new Uint8Array(1 + publicKey.length);
  typed[0] = ED25519;
  typed.set(publicKey, 1);
  return typed;
}
