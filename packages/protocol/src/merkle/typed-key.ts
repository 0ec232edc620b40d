/** Ids and text forms of Ed25519 keys, by what they sign. C2SP signed-note. @module */
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

/** What a key signs; with its type in the id, it never signs the one as the other. */
export interface KeyKind {
  /** Signature type, one byte. */
  readonly type: number;
  /** For messages: `verifier key`. */
  readonly noun: string;
  /** What is said of a key of another type. */
  readonly otherType: string;
}

/** Bytes of a key id. */
export const KEY_ID_BYTES = 4;

/** Bytes of an Ed25519 public key. */
const PUBLIC_KEY_BYTES = 32;

/**
 * Id that marks the signatures of a key: the first 4 bytes of SHA-256(name, newline, type, public
 * key).
 * @throws RangeError if the name is no key name, or the key has not 32 bytes.
 */
export function keyIdOf(
  sha256: Sha256,
  { name, publicKey }: VerifierKey,
  { type }: KeyKind,
): Uint8Array {
  if (!isKeyName(name)) throw new RangeError('a key name has no space, plus or control character');
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new RangeError('an Ed25519 key has 32 bytes');
  const prefix = new TextEncoder().encode(`${name}\n`);
  const preimage = new Uint8Array(prefix.length + 1 + PUBLIC_KEY_BYTES);
  preimage.set(prefix);
  preimage.set(typedKey(publicKey, type), prefix.length);
  return new Uint8Array(sha256(preimage).subarray(0, KEY_ID_BYTES));
}

/**
 * Text form of a key, `<name>+<hex key id>+<base64(type and public key)>`.
 * @throws RangeError if the name is no key name, or the key has not 32 bytes.
 */
export function formatKey(sha256: Sha256, key: VerifierKey, kind: KeyKind): string {
  const typed = typedKey(key.publicKey, kind.type).toBase64();
  return `${key.name}+${keyIdOf(sha256, key, kind).toHex()}+${typed}`;
}

/** Parses the text form of a key of one kind, and checks the key id in it. */
export function parseKey(sha256: Sha256, text: string, kind: KeyKind): VerifierKey | Problem {
  const { type, noun, otherType } = kind;
  const [name = '', id = '', ...rest] = text.split('+');
  // Base64 may contain plus signs of its own.
  const typed = fromBase64(rest.join('+'));
  if (!isKeyName(name)) return new Problem(`a ${noun} starts with a key name and a plus`);
  if (typed === undefined) return new Problem(`the ${noun} does not end in base64`);
  if (typed[0] !== type || typed.length !== 1 + PUBLIC_KEY_BYTES) return new Problem(otherType);
  const key = { name, publicKey: typed.slice(1) };
  if (keyIdOf(sha256, key, kind).toHex() === id) return key;
  return new Problem(`the key id in the ${noun} is not that of its name and key`);
}

function typedKey(publicKey: Uint8Array, type: number): Uint8Array {
  const typed = new Uint8Array(1 + publicKey.length);
  typed[0] = type;
  typed.set(publicKey, 1);
  return typed;
}
