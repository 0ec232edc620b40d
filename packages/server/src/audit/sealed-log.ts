/** The sealed Merkle log: appends whole batches, each durable and signed when it returns. @module */
import { SALT_BYTES } from '@holdfast/protocol';
import { TileWriter, formatCheckpoint, signCheckpoint } from '@holdfast/protocol/merkle';
import type { KeyHandle } from '../crypto/index.ts';
import { type Clock, type RandomBytes, drawAtOnce } from '../kernel/index.ts';
import { transaction } from '../persistence/thread.ts';
import { sealLayout } from './batch-layout.ts';
import { type Expiry, LogExpiry } from './log-expiry.ts';
import { LogFiles, type StoredCheckpoint } from './log-files.ts';
import { rawPublicKey, sha256 } from './log-key.ts';
import { LogReader } from './log-reader.ts';
import { type GatheredLimits, SegmentIndex } from './segment-index.ts';
import { type PendingEntry, SEGMENT_RANDOM_BYTES, layOutSegment, sealSegment } from './segment.ts';

/** Every how many milliseconds a checkpoint is kept for good; those between are replaced. */
const KEPT_CHECKPOINT_INTERVAL_MS = 60_000;

/** What the log needs from outside. */
export interface SealedLogDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Name of the log and of its key, a line without spaces. */
  readonly origin: string;
  readonly signer: KeyHandle;
  /** The data key under a number, 32 bytes. Throws when it is not known. */
  readonly keyOf: (keyRef: number) => Uint8Array;
  /** Number of the data key that seals the layouts of batches, one that is never erased. */
  readonly layoutKeyRef: () => number;
  /** How much of the index gathers before it is written; tests write it sooner. */
  readonly gathered?: GatheredLimits;
}

/** What one append made durable. */
export interface AppendedBatch {
  /** Index of the first entry. */
  readonly first: number;
  /** The signed checkpoint that covers the batch. */
  readonly checkpoint: string;
}

/** The log of one data folder, open for writing by this thread alone. */
export class SealedLog {
  readonly reader: LogReader;
  readonly #files: LogFiles;
  readonly #index: SegmentIndex;
  readonly #expiry: LogExpiry;
  readonly #deps: SealedLogDeps;
  readonly #publicKey: Uint8Array;
  /** Undefined after a failed append, until the next one reads it back. */
  #tree: TileWriter | undefined;
  #checkpoint: { readonly size: number; readonly note: string };
  #isCheckpointKept = true;
  #keptAtMs = Number.NEGATIVE_INFINITY;

  /** Opens or creates the log. A log without a checkpoint is new. */
  constructor(path: string, deps: SealedLogDeps) {
    this.#files = LogFiles.open(path);
    this.#index = new SegmentIndex(this.#files, deps.gathered);
    this.#expiry = new LogExpiry(this.#files, this.#index);
    this.reader = new LogReader(this.#files, this.#index);
    this.#deps = deps;
    this.#publicKey = rawPublicKey(deps.signer.publicKey);
    const latest = this.#files.latestCheckpoint();
    const tree = this.#restoreTree(latest?.size ?? 0);
    this.#tree = tree;
    this.#checkpoint = latest ?? { size: 0, note: this.#signCheckpoint(tree) };
  }

  /** Entries in the log. */
  get size(): number {
    return this.#checkpoint.size;
  }

  /** The latest signed checkpoint. */
  get checkpoint(): string {
    return this.#checkpoint.note;
  }

  /**
   * Appends a batch in one transaction: sealed segments, tree, checkpoint.
   * When it throws, nothing of the batch is stored and the log stands as before.
   */
  append(batch: readonly PendingEntry[]): AppendedBatch {
    const first = this.#checkpoint.size;
    const tree = this.#tree ?? this.#restoreTree(first);
    // Until the batch is on the disk, the tree runs ahead of it: a failure must not leave it here.
    this.#tree = undefined;
    const { sealed, layout, keyRefs, leaves } = this.#sealBatch(first, batch);
    for (const leaf of leaves) tree.append(sha256(leaf));
    const checkpoint = { size: tree.size, note: this.#signCheckpoint(tree) };
    const isIndexDue = this.#index.isDue;
    transaction(this.#files.database, () => {
      this.#files.insertBatch({ first, count: batch.length, sealed, layout });
      if (isIndexDue) this.#index.write(first);
      for (const tile of tree.takeChanged()) this.#files.writeTile(tile);
      this.#replaceCheckpoint(checkpoint);
    });
    if (isIndexDue) this.#index.forgetWritten();
    this.#index.note(first, keyRefs);
    this.#noteCheckpoint(checkpoint);
    this.#tree = tree;
    return { first, checkpoint: checkpoint.note };
  }

  /** What would come of expiries, see `LogExpiry.foresee`. That has to be on the log first. */
  foreseeExpiries(expiries: readonly Expiry[]): Expiry[] {
    return this.#expiry.foresee(expiries, this.size);
  }

  /** Plans expiries that are on the log, see `LogExpiry.plan`. */
  planExpiries(expiries: readonly Expiry[]): Expiry[] {
    return this.#expiry.plan(expiries, this.size);
  }

  /** What is planned and not done, as after a crash. */
  get pendingExpiries(): Expiry[] {
    return this.#expiry.pending();
  }

  /** Begins to do all that is planned, see `LogExpiry.begin`. */
  beginExpiries(): (bytes: number) => boolean {
    const next = this.#expiry.begin();
    return (bytes) => {
      const hasMore = next(bytes);
      if (!hasMore) this.#files.emptyWriteAheadLog();
      return hasMore;
    };
  }

  close(): void {
    this.#files.close();
  }

  #sealBatch(
    batchFirst: number,
    batch: readonly PendingEntry[],
  ): { sealed: Buffer; layout: Buffer; keyRefs: readonly number[]; leaves: Uint8Array[] } {
    const placeOf = new Map<number, number>();
    const positionsAt: number[][] = [];
    const owners = new Uint32Array(batch.length);
    for (const [position, { keyRef }] of batch.entries()) {
      const known = placeOf.get(keyRef);
      const place = known ?? positionsAt.length;
      owners[position] = place;
      if (known !== undefined) positionsAt[place]?.push(position);
      else {
        placeOf.set(keyRef, place);
        positionsAt.push([position]);
      }
    }
    const { keyOf } = this.#deps;
    const keyRefs = [...placeOf.keys()];
    const sealings = (keyRefs.length + 1) * SEGMENT_RANDOM_BYTES;
    const randomBytes = batch.length * SALT_BYTES + sealings;
    const random = drawAtOnce(this.#deps.random, randomBytes);
    const leaves: Uint8Array[] = Array.from({ length: batch.length });
    const parts: Uint8Array[] = [];
    for (const [at, keyRef] of keyRefs.entries()) {
      const positions = positionsAt[at] ?? [];
      const laidOut = layOutSegment(batch, positions, random);
      for (const [n, leaf] of laidOut.leaves.entries()) leaves[positions[n] ?? 0] = leaf;
      const place = { batchFirst, keyRef };
      parts.push(...sealSegment(laidOut.packed, { place, key: keyOf(keyRef), random }));
    }
    const keyRef = this.#deps.layoutKeyRef();
    const layout = sealLayout(
      { keyRefs, owners },
      { batchFirst, keyRef, key: keyOf(keyRef), random },
    );
    return { sealed: Buffer.concat(parts), layout, keyRefs, leaves };
  }

  #restoreTree(size: number): TileWriter {
    return TileWriter.fromTiles(sha256, size, (level, index) => this.#files.readTile(level, index));
  }

  #signCheckpoint(tree: TileWriter): string {
    const { origin, signer } = this.#deps;
    const { size } = tree;
    const body = formatCheckpoint({ origin, size, root: tree.root(), extensions: [] });
    return signCheckpoint(sha256, body, {
      name: origin,
      publicKey: this.#publicKey,
      sign: (message) => signer.sign(message),
    });
  }

  #replaceCheckpoint(checkpoint: StoredCheckpoint): void {
    if (!this.#isCheckpointKept) this.#files.removeCheckpoint(this.#checkpoint.size);
    this.#files.insertCheckpoint(checkpoint);
  }

  #noteCheckpoint(checkpoint: StoredCheckpoint): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#isCheckpointKept = nowMs - this.#keptAtMs >= KEPT_CHECKPOINT_INTERVAL_MS;
    if (this.#isCheckpointKept) this.#keptAtMs = nowMs;
    this.#checkpoint = checkpoint;
  }
}
