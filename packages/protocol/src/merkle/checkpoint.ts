/** Checkpoints: what a log says about its size and root, signed. C2SP tlog-checkpoint. @module */
import { isSize } from './arithmetic.ts';
import { fromBase64 } from './base64.ts';
import { isNoteText } from './note-text.ts';
import { parseNote, signNote, verifyNote } from './note.ts';
import type { NoteSignature, NoteSigner, NoteVerifier } from './note.ts';
import { Problem } from './problem.ts';
import { isHash } from './tree.ts';
import type { Sha256 } from './tree.ts';

/** Size and root of a log, the part of a checkpoint that is signed. */
export interface CheckpointBody {
  /** Which log: one line, not empty; by convention a URL without scheme, and the key's name. */
  readonly origin: string;
  /** Leaves in the tree, 0 to 2^53 - 1. */
  readonly size: number;
  /** Root of the tree, 32 bytes. */
  readonly root: Uint8Array;
  /** More lines, opaque, none empty. The specification advises against them. */
  readonly extensions: readonly string[];
}

/** A checkpoint with its signatures. */
export interface Checkpoint extends CheckpointBody {
  /** All signatures of the note in their order, those of unknown keys too. */
  readonly signatures: readonly NoteSignature[];
}

/** Verifies the checkpoints of one log. */
export interface CheckpointVerifier extends NoteVerifier {
  /** Origin that the checkpoint must have. Default: the key's name. */
  readonly origin?: string;
}

/** A decimal without leading zeros. */
const DECIMAL = /^(?:0|[1-9][0-9]*)$/;

/**
 * Prints the text that a log signs.
 * @throws RangeError if a part has no form in a checkpoint.
 */
export function formatCheckpoint({ origin, size, root, extensions }: CheckpointBody): string {
  if (!isSize(size) || !isHash(root)) throw new RangeError('a checkpoint needs a size and a root');
  if (![origin, ...extensions].every((line) => isNoteText(line) && /^[^\n]+$/.test(line))) {
    throw new RangeError('origin and extensions of a checkpoint are one line each, not empty');
  }
  return [origin, size, root.toBase64(), ...extensions].map((line) => `${line}\n`).join('');
}

/**
 * Parses a signed checkpoint. Nothing in it is genuine yet: see {@link verifyCheckpoint}.
 * A size over 2^53 - 1, which the specification allows, is a problem.
 */
export function parseCheckpoint(text: string): Checkpoint | Problem {
  const note = parseNote(text);
  if (note instanceof Problem) return note;
  const body = parseBody(note.text);
  return body instanceof Problem ? body : { ...body, signatures: note.signatures };
}

/**
 * Signs a checkpoint. A log must not sign one that is inconsistent with one it signed before.
 * @param body - What {@link formatCheckpoint} gives.
 * @returns the note; `formatNote` adds cosignatures to it.
 * @throws RangeError if `body` is no checkpoint, so that a log's key signs nothing else.
 */
export function signCheckpoint(sha256: Sha256, body: string, signer: NoteSigner): string {
  const parsed = parseBody(body);
  if (parsed instanceof Problem) throw new RangeError(parsed.problem);
  return signNote(sha256, body, signer);
}

/**
 * Checks that a checkpoint is signed by the log's key and is of the expected log.
 * @returns the checkpoint; of its signatures only those of this key are verified.
 */
export function verifyCheckpoint(
  sha256: Sha256,
  text: string,
  verifier: CheckpointVerifier,
): Checkpoint | Problem {
  const note = verifyNote(sha256, text, verifier);
  if (note instanceof Problem) return note;
  const body = parseBody(note.text);
  if (body instanceof Problem) return body;
  // One key may sign for several logs; a checkpoint of another must not pass for this one's.
  if (body.origin !== (verifier.origin ?? verifier.name)) {
    return new Problem('the checkpoint is of another log');
  }
  return { ...body, signatures: note.signatures };
}

function parseBody(text: string): CheckpointBody | Problem {
  if (!text.endsWith('\n')) return new Problem('the checkpoint does not end in a newline');
  const lines = text.slice(0, -1).split('\n');
  const [origin, decimal, encodedRoot, ...extensions] = lines;
  if (origin === undefined || decimal === undefined || encodedRoot === undefined) {
    return new Problem('a checkpoint has an origin, a size and a root line');
  }
  if (lines.includes('')) return new Problem('the checkpoint has an empty line');
  const size = Number(decimal);
  if (!DECIMAL.test(decimal) || !isSize(size)) {
    return new Problem('the size of the checkpoint is no decimal of 0 to 2^53 - 1');
  }
  const root = fromBase64(encodedRoot);
  if (!isHash(root)) return new Problem('the root of the checkpoint is no base64 of 32 bytes');
  return { origin, size, root, extensions };
}
