/** Signed notes: a text with the signatures of one or more keys under it. C2SP signed-note. @module */
import { fromBase64 } from './base64.ts';
import { isKeyName, isNoteText } from './note-text.ts';
import { Problem } from './problem.ts';
import { bytesEqual } from './tree.ts';
import type { Sha256 } from './tree.ts';
import { KEY_ID_BYTES, noteKeyId } from './verifier-key.ts';
import type { VerifierKey } from './verifier-key.ts';

/** One signature line of a note. */
export interface NoteSignature {
  /** Name of the key that signed. */
  readonly name: string;
  /** Its id, 4 bytes. */
  readonly keyId: Uint8Array;
  /** The signature, at least 1 byte, in a form that depends on the key. */
  readonly signature: Uint8Array;
}

/** A note, of which nothing is verified. */
export interface SignedNote {
  /** The signed text, with the newline that ends it. */
  readonly text: string;
  /** All signatures in their order, at least one. */
  readonly signatures: readonly NoteSignature[];
}

/** Signs with an Ed25519 key. */
export interface NoteSigner extends VerifierKey {
  /** Ed25519 signature over `message`, 64 bytes. RFC 8032 */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** Verifies the signatures of one Ed25519 key. */
export interface NoteVerifier extends VerifierKey {
  /** Whether `signature`, 64 bytes, is that of `publicKey` over `message`. RFC 8032 */
  readonly verify: (check: {
    readonly publicKey: Uint8Array;
    readonly message: Uint8Array;
    readonly signature: Uint8Array;
  }) => boolean;
}

/** Largest note, in UTF-16 units: room for every signature at the size of a post-quantum one. */
export const NOTE_LENGTH_MAX = 1_048_576;

/** Most signatures on a note. The specification asks for 16 at least. */
export const NOTE_SIGNATURES_MAX = 100;

/** Bytes of an Ed25519 signature. */
const SIGNATURE_BYTES = 64;

/** How each signature line starts: an em dash and a space. */
const LINE_PREFIX = '\u2014 ';

/** Parses a signed note. Unknown signatures are kept, but must have the form of one. */
export function parseNote(note: string): SignedNote | Problem {
  if (note.length > NOTE_LENGTH_MAX) return new Problem('the note is too long');
  if (!isNoteText(note)) return new Problem('the note has a control character or broken Unicode');
  // The last empty line separates: the text itself may have empty lines.
  const separator = note.lastIndexOf('\n\n');
  if (separator === -1) return new Problem('the note has no blank line before its signatures');
  const block = note.slice(separator + 2);
  if (!block.endsWith('\n')) return new Problem('the note does not end in a signature line');
  const lines = block.slice(0, -1).split('\n', NOTE_SIGNATURES_MAX + 1);
  if (lines.length > NOTE_SIGNATURES_MAX) return new Problem('the note has too many signatures');
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseLine(line);
    if (signature === undefined) return new Problem('the note has a malformed signature line');
    signatures.push(signature);
  }
  return { text: note.slice(0, separator + 1), signatures };
}

/**
 * Prints a signed note. With a parsed note and one more signature, it adds a cosignature.
 * @throws RangeError if the result would be no signed note.
 */
export function formatNote({ text, signatures }: SignedNote): string {
  if (!text.endsWith('\n')) throw new RangeError('the text of a note ends in a newline');
  const note = `${text}\n${signatures.map(formatLine).join('')}`;
  const parsed = parseNote(note);
  if (parsed instanceof Problem) throw new RangeError(parsed.problem);
  return note;
}

/**
 * Signs a text.
 * @param text - Ends in a newline; no control characters but newlines.
 * @returns the note, with one signature.
 * @throws RangeError if the text cannot be that of a note.
 */
export function signNote(sha256: Sha256, text: string, signer: NoteSigner): string {
  const signature = signer.sign(new TextEncoder().encode(text));
  if (signature.length !== SIGNATURE_BYTES)
    throw new RangeError('an Ed25519 signature has 64 bytes');
  const line = { name: signer.name, keyId: noteKeyId(sha256, signer), signature };
  return formatNote({ text, signatures: [line] });
}

/**
 * Checks that a note is signed by a known key. Signatures of other keys are ignored; every one that
 * claims to be of this key must verify.
 * @returns the note, of which the text and this key's signatures are genuine.
 */
export function verifyNote(
  sha256: Sha256,
  note: string,
  verifier: NoteVerifier,
): SignedNote | Problem {
  const parsed = parseNote(note);
  if (parsed instanceof Problem) return parsed;
  const id = noteKeyId(sha256, verifier);
  const own = parsed.signatures.filter(
    ({ name, keyId }) => name === verifier.name && bytesEqual(keyId, id),
  );
  if (own.length === 0) return new Problem('the note is not signed by the known key');
  const { publicKey } = verifier;
  const message = new TextEncoder().encode(parsed.text);
  const isGenuine = own.every(
    ({ signature }) =>
      signature.length === SIGNATURE_BYTES && verifier.verify({ publicKey, message, signature }),
  );
  return isGenuine ? parsed : new Problem("the known key's signature does not verify");
}

function parseLine(line: string): NoteSignature | undefined {
  if (!line.startsWith(LINE_PREFIX)) return undefined;
  const [name = '', encoded = '', ...rest] = line.slice(LINE_PREFIX.length).split(' ');
  const bytes = fromBase64(encoded);
  if (rest.length > 0 || !isKeyName(name)) return undefined;
  if (bytes === undefined || bytes.length <= KEY_ID_BYTES) return undefined;
  return { name, keyId: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) };
}

/** One signature line. Its parts are checked here, or a name could bring lines of its own. */
function formatLine({ name, keyId, signature }: NoteSignature): string {
  if (!isKeyName(name) || keyId.length !== KEY_ID_BYTES || signature.length === 0) {
    throw new RangeError('a signature needs a key name, a key id of 4 bytes, and a signature');
  }
  const bytes = new Uint8Array(KEY_ID_BYTES + signature.length);
  bytes.set(keyId);
  bytes.set(signature, KEY_ID_BYTES);
  return `${LINE_PREFIX}${name} ${bytes.toBase64()}\n`;
}
