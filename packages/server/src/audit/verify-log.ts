/** Verifies a log: every stored entry, every hash, every checkpoint, and why entries are gone. @module */
import { type EntryKind, decodeEntry, entryKindAt } from '@holdfast/protocol';
import type { Checkpoint, CheckpointVerifier } from '@holdfast/protocol/merkle';
import { type BatchLayout, layoutKeyRef, openLayout } from './batch-layout.ts';
import { TreeCheck } from './check-tree.ts';
import { Findings, type LogFinding, messageOf } from './findings.ts';
import { Holes } from './holes.ts';
import type { LogFiles, StoredBatch } from './log-files.ts';
import { type BinaryHash, binarySha256 } from './running-tree.ts';
import { StoredIndex } from './segment-index.ts';
import {
  LEAF_PREFIX_BYTES,
  type SealedSegment,
  openPlaintext,
  openSegments,
  splitSegments,
  visitLeaves,
} from './segment.ts';

/** What a verification checked, and what it found. */
export interface LogReport {
  /** Index of the first entry that was checked; 0 unless it began at a checkpoint. */
  readonly since: number;
  /** Entries that are stored and match the tree. */
  readonly entries: number;
  /** Of these, by kind. */
  readonly messages: number;
  readonly acts: number;
  readonly refusals: number;
  readonly events: number;
  /** Entries whose data key was destroyed: their hashes stand in the tree, and nothing else is left. */
  readonly erased: number;
  /** Entries that were removed as their time had come; their hashes stand in the tree. */
  readonly expired: number;
  /** Checkpoints with a valid signature and the right root. */
  readonly checkpoints: number;
  /** Size and root (lower-case hex) of the log as computed from the entries. */
  readonly size: number;
  readonly root: string;
  /** Empty when everything is as it was written. */
  readonly findings: readonly LogFinding[];
}

/** How far a verification is. */
export interface LogProgress {
  /** Entries done. */
  readonly done: number;
  /** Entries of the log. */
  readonly size: number;
}

/** What {@link verifyLog} needs. */
export interface VerifyLogOptions {
  readonly files: LogFiles;
  readonly verifier: CheckpointVerifier;
  /** The data key under a number; undefined when it was destroyed. Throws when it is not known. */
  readonly keyOf: (keyRef: number) => Uint8Array | undefined;
  /** Told which keys will be asked for next, for those who would rather fetch many at once. */
  readonly announceKeys?: ((keyRefs: readonly number[]) => void) | undefined;
  /** A verified checkpoint of this log that was good before: only what follows is checked. */
  readonly since?: Checkpoint | undefined;
  /** A verified checkpoint that was kept elsewhere: the log has to be a continuation of it. */
  readonly against?: Checkpoint | undefined;
  /**
   * The log as it is now, for one that grows meanwhile: a key may have been destroyed since, by an
   * act that follows. It is closed by whoever gave it.
   */
  readonly later?: (() => LogFiles) | undefined;
}

/**
 * Reads the log from its first entry, or from a checkpoint on, to its last. Yields after each batch
 * how far it is, so that the caller can show progress or stop; returns the report.
 */
export function* verifyLog(options: VerifyLogOptions): Generator<LogProgress, LogReport> {
  const verification = new LogVerification(options);
  yield* verification.checkEntries();
  return verification.report();
}

const RELABELED =
  'are not sealed by the data keys that they were stored under: segments were relabeled, added or removed';

const UNLABELED =
  'have a layout that does not open: what says which data keys sealed them was changed, moved, or its key is gone';

/** Whether the segments of a batch are labeled as they were when it was stored. */
function fits({ keyRefs }: BatchLayout, segments: readonly SealedSegment[]): boolean {
  return (
    segments.length === keyRefs.length && segments.every(({ keyRef }, at) => keyRef === keyRefs[at])
  );
}

class LogVerification {
  readonly #files: LogFiles;
  readonly #options: VerifyLogOptions;
  readonly #findings = new Findings();
  readonly #holes = new Holes();
  readonly #tree: TreeCheck;
  /** Undefined for a part of the log: the index is of the whole. */
  readonly #index: StoredIndex | undefined;
  readonly #since: number;
  readonly #keys = new Map<number, Uint8Array | undefined>();
  readonly #counts: Record<EntryKind, number> = { message: 0, act: 0, refusal: 0, event: 0 };
  #erasedCount = 0;
  #expiredCount = 0;
  /** Segments of the batches that the index covers. */
  #segmentCount = 0;
  /** Leaf hashes of the batch at hand, by position. */
  #leaves: (BinaryHash | undefined)[] = [];

  constructor(options: VerifyLogOptions) {
    const { files, verifier, since, against } = options;
    this.#options = options;
    this.#files = files;
    this.#since = since?.size ?? 0;
    const findings = this.#findings;
    if (since === undefined) {
      const until = findings.attempt('the index', 0, () => files.indexedUntil());
      this.#index = new StoredIndex(files, until);
    }
    this.#tree = new TreeCheck({ files, verifier, findings, since, against });
  }

  *checkEntries(): Generator<LogProgress> {
    const tree = this.#tree;
    const { logSize } = tree;
    if (this.#since > logSize) return;
    // Every row is met: one that stands inside of a batch would hide the rest of it from readers.
    let batchCount = 0;
    let from = tree.size === 0 ? Number.MIN_SAFE_INTEGER : tree.size;
    while (!this.#findings.isFull) {
      const expected = tree.size;
      const { batch, problem } = this.#readBatch(from);
      const first = Math.min(batch?.first ?? logSize, logSize);
      if (first > expected) {
        this.#findings.add(problem ?? 'are missing', expected, first - 1);
        while (tree.size < first) tree.appendStored();
      }
      if (batch === undefined || batch.first >= logSize) break;
      if (first < expected) {
        const last = first + Math.max(1, batch.count) - 1;
        this.#findings.add('stand inside of another batch', first, last);
      } else this.#checkBatch(batch);
      batchCount += 1;
      from = first + 1;
      yield { done: tree.size, size: logSize };
    }
    if (this.#findings.isFull) return;
    this.#checkBatchCount(batchCount);
    this.#checkBeyondLastCheckpoint();
    this.#checkIndexCount();
    this.#checkStrayRows();
    tree.finish();
    if (!this.#holes.areExplained) this.#learnLaterActs();
    this.#holes.report(this.#findings);
    this.#checkExpiries();
  }

  report(): LogReport {
    const { message, act, refusal, event } = this.#counts;
    return {
      since: this.#since,
      entries: message + act + refusal + event,
      messages: message,
      acts: act,
      refusals: refusal,
      events: event,
      erased: this.#erasedCount,
      expired: this.#expiredCount,
      checkpoints: this.#tree.checkpointCount,
      size: this.#tree.size,
      root: this.#tree.rootHex,
      findings: this.#findings.list,
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
    let first = after;
    for (;;) {
      try {
        const next = this.#files.batchFirstAfter(first);
        if (next === undefined) return undefined;
        first = next;
      } catch {
        // Nothing leads past this place.
        return undefined;
      }
      try {
        return this.#files.batchFrom(first);
      } catch {
        // Its content is on a damaged page; the next one may not be.
      }
    }
  }

  #checkBatch(batch: StoredBatch): void {
    const { first, count: storedCount, sealed } = batch;
    const count = Math.max(1, Math.min(storedCount, this.#tree.logSize - first));
    if (count !== storedCount) this.#findings.add(`are in a batch of ${storedCount}`, first);
    const segments = splitSegments(sealed);
    if (segments === undefined) {
      this.#findings.add('are in a damaged batch', first, first + count - 1);
    }
    this.#leaves = [];
    for (let left = count; left >= 1; left -= 1) this.#leaves.push(undefined);
    this.#announceKeys(batch, segments ?? []);
    const layout = this.#openLayout(batch);
    if (layout !== undefined && segments !== undefined && !fits(layout, segments)) {
      this.#findings.add(RELABELED, first, first + count - 1);
    }
    /** By data key: why its segment in this batch is gone. */
    const gone = new Map<number, 'erased' | 'expired'>();
    const opening = openSegments(first, segments ?? [], (keyRef) => this.#keyOf(keyRef));
    for (const { keyRef, opened } of opening) {
      this.#checkIndex(keyRef, { first, count });
      const outcome = Buffer.isBuffer(opened) ? this.#checkSegment(first, opened) : opened;
      if (outcome === 'erased') this.#holes.addErased(keyRef, first, count);
      else if (outcome === 'expired') this.#holes.addExpired(keyRef, first, count);
      if (outcome === 'expired' || outcome === 'erased') gone.set(keyRef, outcome);
    }
    this.#takeLeaves(first, (position) => {
      const keyRef = layout?.keyRefs[layout.owners[position] ?? -1];
      return keyRef === undefined ? undefined : gone.get(keyRef);
    });
  }

  /** Which data key sealed which entry; undefined when that was changed. */
  #openLayout({ first, count, layout }: StoredBatch): BatchLayout | undefined {
    try {
      const keyRef = layoutKeyRef(layout);
      const key = keyRef === undefined ? undefined : this.#keyOf(keyRef);
      if (key === undefined) throw new Error('there is no key that opens it');
      return openLayout(layout, { batchFirst: first, count, key });
    } catch {
      this.#findings.add(UNLABELED, first, first + Math.max(1, count) - 1);
      return undefined;
    }
  }

  #checkIndex(keyRef: number, { first, count }: { first: number; count: number }): void {
    const index = this.#index;
    if (index === undefined || index.isBeyond(first)) return;
    this.#segmentCount += 1;
    if (this.#findings.attempt('the index', true, () => index.has(keyRef, first))) return;
    this.#findings.add('are not in the index', first, first + count - 1);
  }

  #announceKeys({ layout }: StoredBatch, segments: readonly SealedSegment[]): void {
    const { announceKeys } = this.#options;
    if (announceKeys === undefined) return;
    const refs = [layoutKeyRef(layout), ...segments.map(({ keyRef }) => keyRef)];
    const unknown = refs.filter((ref) => ref !== undefined).filter((ref) => !this.#keys.has(ref));
    if (unknown.length > 0) announceKeys(unknown);
  }

  #keyOf(keyRef: number): Uint8Array | undefined {
    const known = this.#keys.get(keyRef);
    if (known !== undefined || this.#keys.has(keyRef)) return known;
    const key = this.#options.keyOf(keyRef);
    this.#keys.set(keyRef, key);
    return key;
  }

  #checkSegment(batchFirst: number, plaintext: Buffer): 'checked' | 'damaged' {
    try {
      visitLeaves(plaintext, (position, start, end) => {
        if (position >= this.#leaves.length) return;
        this.#leaves[position] = binarySha256(plaintext.subarray(start, end));
        this.#checkEntry(batchFirst + position, { plaintext, start, end });
      });
      return 'checked';
    } catch {
      // The entries stay undefined; takeLeaves names each of them.
      return 'damaged';
    }
  }

  #checkEntry(
    index: number,
    { plaintext, start, end }: { plaintext: Buffer; start: number; end: number },
  ): void {
    const kind = entryKindAt(plaintext, start + LEAF_PREFIX_BYTES, end);
    if (kind === undefined) {
      this.#findings.add('is no entry that this version can read', index);
      return;
    }
    this.#counts[kind] += 1;
    if (kind === 'act') this.#learnAct(plaintext.subarray(start + LEAF_PREFIX_BYTES, end));
  }

  #learnAct(record: Uint8Array): void {
    const entry = decodeEntry(record);
    if (entry?.kind === 'act' && Holes.isExplaining(entry.topic)) this.#holes.learn(entry);
  }

  /** @param whyGone - Why an entry has no content any more; undefined when it should have. */
  #takeLeaves(
    first: number,
    whyGone: (position: number) => 'erased' | 'expired' | undefined,
  ): void {
    const tree = this.#tree;
    let position = -1;
    for (const leaf of this.#leaves) {
      position += 1;
      if (leaf !== undefined) {
        tree.append(leaf);
        continue;
      }
      const reason = whyGone(position);
      // The signed checkpoints judge a hash whose entry is gone.
      if (tree.appendStored() && reason !== undefined) {
        if (reason === 'erased') this.#erasedCount += 1;
        else this.#expiredCount += 1;
      } else {
        const what = 'does not open: its sealed bytes were changed, moved, or its key is gone';
        this.#findings.add(what, first + position);
      }
    }
  }

  /** A damaged page can have rows out of their order: some searches end at them, others do not. */
  #checkBatchCount(met: number): void {
    if (this.#since > 0) return;
    const { logSize } = this.#tree;
    const stored = this.#findings.attempt('the batches', met, () =>
      this.#files.batchCount(logSize),
    );
    if (stored === met) return;
    this.#findings.add(`${stored} batches are stored, and ${met} of them are found by a search`);
  }

  #checkBeyondLastCheckpoint(): void {
    const { batch: extra, problem } = this.#readBatch(this.#tree.logSize);
    if (problem !== undefined) {
      this.#findings.add(`what stands behind the last checkpoint ${problem}`);
    }
    if (extra !== undefined) {
      const last = extra.first + extra.count - 1;
      this.#findings.add('stand behind the last checkpoint', extra.first, last);
    }
  }

  #checkIndexCount(): void {
    if (this.#index === undefined) return;
    const stored = { pairs: this.#segmentCount, rows: this.#index.rowCount };
    const indexed = this.#findings.attempt('the index', stored, () => this.#files.indexedCount());
    if (indexed.pairs !== stored.pairs) {
      this.#findings.add(`the index names ${indexed.pairs} segments, stored are ${stored.pairs}`);
    } else if (indexed.rows !== stored.rows) {
      this.#findings.add('the index has rows that lead nowhere, or do not stand where they begin');
    }
  }

  #checkStrayRows(): void {
    const { logSize } = this.#tree;
    this.#findings.attempt('how far the log is', undefined, () => {
      const [strays, progress] = [this.#files.strayRows(), this.#files.expiryProgress() ?? 0];
      if (strays === 0 && progress >= 0 && progress <= logSize) return;
      this.#findings.add('how far the index or the expiries are was changed');
    });
  }

  /** What is noted as expired is not read any more, and what is planned will be done. */
  #checkExpiries(): void {
    if (this.#since > 0) return;
    const expiries = this.#findings.attempt('what is to expire', [], () => this.#files.expiries());
    for (const { keyRef, done, before } of expiries) {
      if (done <= before && before <= this.#holes.expiredBefore(keyRef)) continue;
      this.#findings.add(
        `what data key ${keyRef} sealed is noted as expired, and no act on the log says so`,
      );
    }
  }

  /** Acts that followed while the verification ran; they are only read for what they explain. */
  #learnLaterActs(): void {
    const files = this.#options.later?.();
    if (files === undefined) return;
    let batch = files.batchFrom(this.#tree.logSize);
    while (batch !== undefined) {
      const segments = splitSegments(batch.sealed) ?? [];
      this.#announceKeys(batch, segments);
      for (const { keyRef, sealed } of segments) {
        const key = sealed.length === 0 ? undefined : this.#keyOf(keyRef);
        if (key === undefined) continue;
        const plaintext = openPlaintext(sealed, {
          place: { batchFirst: batch.first, keyRef },
          key,
        });
        visitLeaves(plaintext, (_position, start, end) => {
          if (entryKindAt(plaintext, start + LEAF_PREFIX_BYTES, end) !== 'act') return;
          this.#learnAct(plaintext.subarray(start + LEAF_PREFIX_BYTES, end));
        });
      }
      batch = files.batchFrom(batch.first + Math.max(1, batch.count));
    }
  }
}
