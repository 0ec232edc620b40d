/** Computes the tree of the log again, here, out of all of its leaf hashes. RFC 9162 §2.1 @module */
import {
  type Checkpoint,
  CompactRange,
  HASH_BYTES,
  Problem,
  TILE_WIDTH_MAX,
  type TileName,
  parseVerifierKey,
  verifyCheckpoint,
} from '@holdfast/protocol/merkle';
import { Ahead } from './ahead.ts';
import { verifiesEd25519 } from './ed25519.ts';
import { sha256 } from './sha256.ts';

/** A log as it was at some time: its size, and the root of its tree in base64. */
export interface LogHead {
  readonly size: number;
  readonly root: string;
}

/** What a verification needs. */
export interface VerifyTreeOptions {
  /** The newest checkpoint: a signed note. */
  readonly checkpoint: string;
  /** The key that signs checkpoints, as it is known here. */
  readonly verifierKey: string;
  /** What was seen before: the log has to be a continuation of it. */
  readonly before?: LogHead | undefined;
  /** Gives a tile of leaf hashes. */
  readonly fetchTile: (name: TileName) => Promise<Uint8Array>;
  readonly onProgress?: (done: number, size: number) => void;
  readonly signal?: AbortSignal;
}

/** What came of it. `problem`: what is wrong with the log, in plain words. */
export type TreeVerdict =
  | { readonly head: LogHead; readonly problem?: undefined }
  | { readonly problem: string };

/** Tiles that are on their way at once. */
const AHEAD_TILES_MAX = 4;

/**
 * Verifies the signature of the checkpoint, then that the leaves have its root, and that the first
 * leaves have the root that was seen before.
 * @throws whatever `fetchTile` throws; the log is neither good nor bad then.
 */
export async function verifyTree(options: VerifyTreeOptions): Promise<TreeVerdict> {
  const checkpoint = await signedBy(options);
  if (checkpoint instanceof Problem) return { problem: `${checkpoint.problem}.` };
  const { size, root } = checkpoint;
  const { before } = options;
  if (before !== undefined && size < before.size) {
    return { problem: `It has ${size} entries, and it had ${before.size}: it was set back.` };
  }
  const roots = await rootsOf(size, before?.size, options);
  if (before !== undefined && roots.before !== before.root) {
    return {
      problem: `Its first ${before.size} entries are not those seen before: it was rewritten.`,
    };
  }
  if (roots.now !== root.toBase64()) {
    return { problem: 'Its entries do not have the root that the server has signed.' };
  }
  return { head: { size, root: roots.now } };
}

async function signedBy({
  checkpoint,
  verifierKey,
}: VerifyTreeOptions): Promise<Checkpoint | Problem> {
  const key = parseVerifierKey(sha256, verifierKey.trim());
  if (key instanceof Problem) return key;
  const ahead = new Ahead();
  const verify = (): Checkpoint | Problem =>
    verifyCheckpoint(sha256, checkpoint, {
      ...key,
      verify: (note) =>
        ahead.ask(`${note.message.toHex()} ${note.signature.toHex()}`, () => verifiesEd25519(note)),
    });
  verify();
  await ahead.settle();
  return verify();
}

async function rootsOf(
  size: number,
  beforeSize: number | undefined,
  { fetchTile, onProgress = () => {}, signal }: VerifyTreeOptions,
): Promise<{ now: string; before: string | undefined }> {
  const range = new CompactRange(sha256);
  let before = beforeSize === 0 ? range.root().toBase64() : undefined;
  for await (const tile of tilesOf(size, fetchTile)) {
    signal?.throwIfAborted();
    for (let at = 0; at < tile.length; at += HASH_BYTES) {
      range.append(tile.subarray(at, at + HASH_BYTES));
      if (range.size === beforeSize) before = range.root().toBase64();
    }
    onProgress(range.size, size);
  }
  return { now: range.root().toBase64(), before };
}

/** The tiles in their order; some are fetched ahead of the one that is asked for. */
async function* tilesOf(
  size: number,
  fetchTile: VerifyTreeOptions['fetchTile'],
): AsyncGenerator<Uint8Array> {
  const count = Math.ceil(size / TILE_WIDTH_MAX);
  const waiting: Promise<Uint8Array>[] = [];
  for (let index = 0; index < count + AHEAD_TILES_MAX; index += 1) {
    if (index < count) {
      const width = Math.min(TILE_WIDTH_MAX, size - index * TILE_WIDTH_MAX);
      const tile = fetchTile({ level: 0, index, width }).then((bytes) => whole(bytes, width));
      // Who waits for an earlier one hears of that first; this one must not count as unheard.
      tile.catch(() => {});
      waiting.push(tile);
    }
    const next = index >= AHEAD_TILES_MAX - 1 ? waiting.shift() : undefined;
    if (next !== undefined) yield await next;
  }
}

function whole(bytes: Uint8Array, width: number): Uint8Array {
  if (bytes.length === width * HASH_BYTES) return bytes;
  throw new Error(`a tile of ${width} hashes has ${bytes.length} bytes`);
}
