/** Verifies a whole log offline: every stored entry, every hash, every checkpoint. @module */
import { decodeEntry } from '@holdfast/protocol';
import {
  type Checkpoint,
  type CheckpointVerifier,
  CompactRange,
  HASH_BYTES,
  Problem,
  TILE_WIDTH_MAX,
  type Tile,
  TileWriter,
  tileHashCount,
  verifyCheckpoint,
} from '@holdfast/protocol/merkle';
import type { LogFiles, StoredBatch, StoredCheckpoint } from './log-files.ts';
import { sha256 } from './log-key.ts';
import { StoredIndex } from './segment-index.ts';
import { LEAF_PREFIX_BYTES, openSegment, splitSegments } from './segment.ts';

/** Something that is not as it was written. */
export interface LogFinding {
  /** First and last entry concerned, where entries are. */
  readonly entries?: { readonly first: number; readonly last: number };
  /** What is wrong, in plain words. */
  readonly what: string;
}

/** What a verification checked, and what it found. */
export interface LogReport {
  /** Entries that are stored and match the tree. */
  readonly entries: number;
  /** Of these, by kind. */
  readonly messages: number;
  readonly acts: number;
  readonly refusals: number;
  readonly events: number;
  /** Entries whose data key was destroyed: their hashes stand in the tree, and nothing else is left. */
  readonly erased: number;
  /** Checkpoints with a valid signature and the right root. */
  readonly checkpoints: number;
  /** Size and root (lower-case hex) of the log as computed from the entries. */
  readonly size: number;
  readonly root: string;
  /** Empty when everything is as it was written. */
  readonly findings: readonly LogFinding[];
}

/** Findings after which a verification stops: more would not tell more. */
export const FINDINGS_MAX = 100;

/** Stands for a leaf of which neither the entry nor the hash is left; no root can match it. */
const UNKNOWN_HASH = new Uint8Array(HASH_BYTES);

/** What {@link verifyLog} needs. */
export interface VerifyLogOptions {
  readonly files: LogFiles;
  readonly verifier: CheckpointVerifier;
  /** The data key under a number; undefined when it was destroyed. Throws when it is not known. */
  readonly keyOf: (keyRef: number) => Uint8Array | undefined;
}

/**
 * Reads the log from its first entry to its last. Yields after each batch how many entries are
 * done, so that the caller can show progress or stop; returns the report.
 */
export function* verifyLog(options: VerifyLogOptions): Generator<number, LogReport> {
  const verification = new LogVerification(options);
  for (const done of verification.checkEntries()) yield done;
  verification.checkTiles();
  return verification.report();
}

type SegmentOutcome = 'opened' | 'erased' | 'damaged';

class LogVerification {
  readonly #files: LogFiles;
  readonly #index: StoredIndex;
  readonly #options: VerifyLogOptions;
  readonly #findings: LogFinding[] = [];
  readonly #counts = { message: 0, act: 0, refusal: 0, event: 0 };
  readonly #tree = TileWriter.empty(sha256);
  readonly #range = new CompactRange(sha256);
  readonly #partialTiles = new Map<number, Tile>();
  /** Those with a valid signature, smallest first, until the entries reach them. */
  readonly #checkpoints: Checkpoint[];
  /** Size of the log by its latest valid checkpoint: the number of entries that must be there. */
  readonly #logSize: number;
  #checkpointsGood = 0;
  #erasedCount = 0;
  /** Segments of the batches that the index covers. */
  #segmentCount = 0;
  #leafTile: { index: number; hashes: Uint8Array | undefined } | undefined;

  constructor(options: VerifyLogOptions) {
    this.#options = options;
    this.#files = options.files;
    const indexedUntil = this.#attempt('the index', 0, () => this.#files.indexedUntil());
    this.#index = new StoredIndex(this.#files, indexedUntil);
    this.#checkpoints = this.#attempt('the checkpoints', [], () => this.#files.checkpoints())
      .map((stored) => this.#checkSignature(stored))
      .filter((checkpoint) => checkpoint !== undefined);
    this.#logSize = this.#checkpoints.at(-1)?.size ?? 0;
  }

  *checkEntries(): Generator<number> {
    this.#checkCheckpointsUpToHere();
    while (this.#range.size < this.#logSize && this.#findings.length < FINDINGS_MAX) {
      const expected = this.#range.size;
      const { batch, problem } = this.#readBatch(expected);
      const gapEnd = Math.min(batch?.first ?? this.#logSize, this.#logSize);
      if (gapEnd > expected) {
        this.#find(problem ?? 'are missing', expected, gapEnd - 1);
        this.#appendStoredHashes(expected, gapEnd);
      }
      if (batch !== undefined && batch.first < this.#logSize) this.#checkBatch(batch);
      yield this.#range.size;
    }
    if (this.#findings.length >= FINDINGS_MAX) return;
    this.#checkBeyondLastCheckpoint();
    const stored = this.#segmentCount;
    const indexed = this.#attempt('the index', stored, () => this.#files.indexedCount());
    if (indexed !== stored) this.#find(`the index names ${indexed} segments, stored are ${stored}`);
  }

  /** Compares every stored tile with the one that the entries give. */
  checkTiles(): void {
    const places = this.#attempt('the tiles', [], () => this.#files.tilePlaces());
    for (const { level, index, width } of places) {
      const wanted = Math.min(
        TILE_WIDTH_MAX,
        tileHashCount(level, this.#logSize) - index * TILE_WIDTH_MAX,
      );
      if (width !== wanted) {
        this.#find(`tile ${index} of level ${level} holds ${width} hashes instead of ${wanted}`);
      }
    }
    this.#checkChangedTiles();
    for (const tile of this.#partialTiles.values()) this.#checkTile(tile);
  }

  report(): LogReport {
    const { message, act, refusal, event } = this.#counts;
    return {
      entries: message + act + refusal + event,
      messages: message,
      acts: act,
      refusals: refusal,
      events: event,
      erased: this.#erasedCount,
      checkpoints: this.#checkpointsGood,
      size: this.#range.size,
      root: this.#range.root().toHex(),
      findings: this.#findings,
    };
  }

  /** The batch at `first`, or the next one that can be read, and what is wrong in between. */
  #readBatch(first: number): { batch: StoredBatch | undefined; problem: string | undefined } {
    try {
      return { batch: this.#files.batchFrom(first), problem: undefined };
    } catch (error) {
      const problem = `cannot be read: ${messageOf(error)}`;
      return { batch: this.#nextReadable(first), problem };
    }
  }

  /** A damaged page takes some batches with it; those on other pages can still be judged. */
  #nextReadable(after: number): StoredBatch | undefined {
    let first: number | undefined = after;
    for (;;) {
      try {
        first = this.#files.batchFirstAfter(first);
        return first === undefined ? undefined : this.#files.batchFrom(first);
      } catch {
        if (first === after || first === undefined) return undefined;
      }
    }
  }

  /** Reads from the database, or finds that it is damaged there and goes on with `otherwise`. */
  #attempt<T>(what: string, otherwise: T, read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.#find(`${what} cannot be read: ${messageOf(error)}`);
      return otherwise;
    }
  }

  #checkBatch({ first, count: storedCount, sealed }: StoredBatch): void {
    const count = Math.max(1, Math.min(storedCount, this.#logSize - first));
    if (count !== storedCount) this.#find(`are in a batch of ${storedCount}`, first);
    const leaves: (Uint8Array | undefined)[] = Array.from({ length: count });
    const segments = splitSegments(sealed);
    if (segments === undefined) this.#find('are in a damaged batch', first, first + count - 1);
    const outcomes = new Set<SegmentOutcome>();
    for (const segment of segments ?? []) {
      this.#checkIndex(segment.keyRef, { first, count });
      outcomes.add(this.#openInto(leaves, { batchFirst: first, ...segment }));
    }
    // Which entries an erased segment held is not known: nothing else may be wrong beside it.
    const mayBeErased = outcomes.has('erased') && !outcomes.has('damaged');
    for (const [position, leaf] of leaves.entries()) {
      this.#checkEntry(first + position, leaf, mayBeErased);
      this.#checkCheckpointsUpToHere();
    }
  }

  #checkIndex(keyRef: number, { first, count }: { first: number; count: number }): void {
    if (this.#index.isBeyond(first)) return;
    this.#segmentCount += 1;
    if (this.#attempt('the index', true, () => this.#index.has(keyRef, first))) return;
    this.#find('are not in the index', first, first + count - 1);
  }

  #openInto(
    leaves: (Uint8Array | undefined)[],
    segment: { batchFirst: number; keyRef: number; sealed: Uint8Array },
  ): SegmentOutcome {
    try {
      const key = this.#options.keyOf(segment.keyRef);
      if (key === undefined) return 'erased';
      for (const entry of openSegment(segment.sealed, { place: segment, key }).entries) {
        if (entry.position < leaves.length) leaves[entry.position] = entry.leafPreimage;
      }
      return 'opened';
    } catch {
      // The entries stay undefined; checkEntry names each of them.
      return 'damaged';
    }
  }

  #checkEntry(index: number, leaf: Uint8Array | undefined, mayBeErased: boolean): void {
    const stored = this.#storedLeafHash(index);
    if (leaf === undefined && stored !== undefined && mayBeErased) {
      // The signed checkpoints judge the hash.
      this.#erasedCount += 1;
      return this.#append(stored);
    }
    if (leaf === undefined) {
      this.#find('does not open: its sealed bytes were changed, moved, or its key is gone', index);
      this.#append(stored ?? UNKNOWN_HASH);
      return;
    }
    const computed = sha256(leaf);
    if (stored === undefined || !Buffer.from(stored).equals(computed)) {
      this.#find('does not match its hash in the tree', index);
    }
    const entry = decodeEntry(leaf.subarray(LEAF_PREFIX_BYTES));
    if (entry === undefined) this.#find('is no entry that this version can read', index);
    else this.#counts[entry.kind] += 1;
    this.#append(computed);
  }

  #append(leafHash: Uint8Array): void {
    this.#range.append(leafHash);
    this.#tree.append(leafHash);
    const isTileFull = this.#tree.size % TILE_WIDTH_MAX === 0;
    if (!isTileFull) return;
    this.#checkChangedTiles();
  }

  /** Full tiles are final; of a partial one only its last state is stored. */
  #checkChangedTiles(): void {
    for (const tile of this.#tree.takeChanged()) {
      if (tile.width === TILE_WIDTH_MAX) {
        this.#partialTiles.delete(tile.level);
        this.#checkTile(tile);
      } else {
        this.#partialTiles.set(tile.level, tile);
      }
    }
  }

  /** Level 0 is checked entry by entry already. */
  #checkTile({ level, index, hashes }: Tile): void {
    if (level === 0) return;
    const stored = this.#readTile(level, index);
    if (stored === undefined || !Buffer.from(stored).equals(hashes)) {
      const span = TILE_WIDTH_MAX ** level;
      const first = index * TILE_WIDTH_MAX * span;
      const last = Math.min(first + (hashes.length / HASH_BYTES) * span, this.#logSize) - 1;
      this.#find(`have a changed hash above them (tile ${index} of level ${level})`, first, last);
    }
  }

  /** Goes on with the stored hashes where entries are gone, so that later ones can be judged. */
  #appendStoredHashes(start: number, end: number): void {
    for (let index = start; index < end; index += 1) {
      this.#append(this.#storedLeafHash(index) ?? UNKNOWN_HASH);
      this.#checkCheckpointsUpToHere();
    }
  }

  #readTile(level: number, index: number): Uint8Array | undefined {
    const read = (): Uint8Array | undefined => this.#files.readTile(level, index);
    return this.#attempt(`tile ${index} of level ${level}`, undefined, read);
  }

  #storedLeafHash(index: number): Uint8Array | undefined {
    const tileIndex = Math.floor(index / TILE_WIDTH_MAX);
    if (this.#leafTile?.index !== tileIndex) {
      this.#leafTile = { index: tileIndex, hashes: this.#readTile(0, tileIndex) };
    }
    const tile = this.#leafTile.hashes;
    const at = (index % TILE_WIDTH_MAX) * HASH_BYTES;
    const stored = tile?.subarray(at, at + HASH_BYTES);
    return stored?.length === HASH_BYTES ? stored : undefined;
  }

  #checkCheckpointsUpToHere(): void {
    for (;;) {
      const checkpoint = this.#checkpoints[0];
      if (checkpoint === undefined || checkpoint.size > this.#range.size) return;
      this.#checkpoints.shift();
      this.#checkRoot(checkpoint);
    }
  }

  #checkSignature({ size, note }: StoredCheckpoint): Checkpoint | undefined {
    const checked = verifyCheckpoint(sha256, note, this.#options.verifier);
    if (checked instanceof Problem) {
      this.#find(`the checkpoint at size ${size} is not valid: ${checked.problem}`);
      return undefined;
    }
    if (checked.size !== size) {
      this.#find(`the checkpoint stored for size ${size} is of size ${checked.size}`);
    }
    return checked;
  }

  #checkRoot({ size, root }: Checkpoint): void {
    if (Buffer.from(root).equals(this.#range.root())) this.#checkpointsGood += 1;
    else this.#find(`the checkpoint at size ${size} has another root than the entries before it`);
  }

  #checkBeyondLastCheckpoint(): void {
    const { batch: extra, problem } = this.#readBatch(this.#logSize);
    if (problem !== undefined) this.#find(`what stands behind the last checkpoint ${problem}`);
    if (extra !== undefined) {
      this.#find('stand behind the last checkpoint', extra.first, extra.first + extra.count - 1);
    }
  }

  #find(what: string, first?: number, last = first): void {
    if (this.#findings.length >= FINDINGS_MAX) return;
    if (first === undefined || last === undefined) this.#findings.push({ what });
    else this.#findings.push({ entries: { first, last }, what });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
