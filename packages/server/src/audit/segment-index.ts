/** Leads from a data key to the batches that hold a segment of it. @module */
import type { LogFiles } from './log-files.ts';
import { splitSegments } from './segment.ts';

/**
 * Pairs of key and batch that gather in memory before they are written, and how many for each key
 * at least. One row for each pair would be one page of the file for each device and commit, several
 * times what the messages themselves take.
 */
export const GATHERED_LIMITS: GatheredLimits = { pairsMin: 16_384, pairsPerKeyMin: 16 };

/** See {@link GATHERED_LIMITS}. */
export interface GatheredLimits {
  readonly pairsMin: number;
  readonly pairsPerKeyMin: number;
}

/** What has gathered for one data key. */
export interface IndexRow {
  readonly keyRef: number;
  /** Indexes of the first entries of batches, rising. */
  readonly batches: readonly number[];
}

/**
 * The index of one log, open for writing. What has not been written yet is in memory, and is found
 * again when the log is opened: the batches themselves name their keys.
 */
export class SegmentIndex {
  readonly #files: LogFiles;
  readonly #limits: GatheredLimits;
  #gathered = new Map<number, number[]>();
  #pairCount = 0;

  /** Reads again what had gathered when the log was closed. */
  constructor(files: LogFiles, limits: GatheredLimits = GATHERED_LIMITS) {
    this.#files = files;
    this.#limits = limits;
    let batch = files.batchFrom(files.indexedUntil());
    while (batch !== undefined) {
      const segments = splitSegments(batch.sealed) ?? [];
      this.note(
        batch.first,
        segments.map(({ keyRef }) => keyRef),
      );
      batch = files.batchFrom(batch.first + Math.max(1, batch.count));
    }
  }

  /** Whether enough has gathered to be written. */
  get isDue(): boolean {
    const { pairsMin, pairsPerKeyMin } = this.#limits;
    return this.#pairCount >= Math.max(pairsMin, pairsPerKeyMin * this.#gathered.size);
  }

  /** Writes what has gathered; within the transaction of the batch that begins at `until`. */
  write(until: number): void {
    for (const [keyRef, batches] of this.#gathered) this.#files.insertIndex({ keyRef, batches });
    this.#files.markIndexed(until);
  }

  /** What was written is on the disk. */
  forgetWritten(): void {
    this.#gathered = new Map();
    this.#pairCount = 0;
  }

  /** A batch is stored, with a segment of each of these keys. */
  note(batchFirst: number, keyRefs: Iterable<number>): void {
    for (const keyRef of keyRefs) {
      const batches = this.#gathered.get(keyRef);
      if (batches === undefined) this.#gathered.set(keyRef, [batchFirst]);
      else batches.push(batchFirst);
      this.#pairCount += 1;
    }
  }

  /** The last batch that begins before `before` and has a segment of this key. */
  batchBefore(keyRef: number, before: number): number | undefined {
    const gathered = lastBelow(this.#gathered.get(keyRef) ?? [], before);
    if (gathered !== undefined) return gathered;
    const row = this.#files.indexBefore(keyRef, before);
    return row && lastBelow(row.batches, before);
  }

  /** The first batch that begins at `first` or later and has a segment of this key. */
  batchFrom(keyRef: number, first: number): number | undefined {
    const rows = [
      this.#files.indexBefore(keyRef, first)?.batches ?? [],
      this.#files.indexFrom(keyRef, first)?.batches ?? [],
      this.#gathered.get(keyRef) ?? [],
    ];
    for (const batches of rows) {
      const found = batches.find((batch) => batch >= first);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/**
 * The index of a log as it is stored, for a verification that goes through the batches in their
 * order: so each row is read once.
 */
export class StoredIndex {
  readonly #files: LogFiles;
  /** Batches before this one must be in the index; later ones must not. */
  readonly #until: number;
  readonly #rows = new Map<number, { readonly batches: readonly number[]; at: number }>();
  #rowCount = 0;

  /** @param until - First batch that the index does not cover, see `LogFiles.indexedUntil`. */
  constructor(files: LogFiles, until: number) {
    this.#files = files;
    this.#until = until;
  }

  /** Whether the index need not lead to a batch, as it has not been written so far. */
  isBeyond(batchFirst: number): boolean {
    return batchFirst >= this.#until;
  }

  /** Rows that were met. Another one, however empty, would end a search before its time. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** Whether the index leads from a key to a batch; asked for rising batches. */
  has(keyRef: number, batchFirst: number): boolean {
    let row = this.#rows.get(keyRef);
    if (row === undefined || row.at >= row.batches.length) {
      const next = this.#files.indexFrom(keyRef, batchFirst);
      row = { batches: next?.batches ?? [], at: 0 };
      this.#rows.set(keyRef, row);
      if (this.#files.hasIndexRow(keyRef, row.batches[0] ?? -1)) this.#rowCount += 1;
    }
    if (row.batches[row.at] !== batchFirst) return false;
    row.at += 1;
    return true;
  }
}

function lastBelow(rising: readonly number[], before: number): number | undefined {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] ?? before) < before) low = middle + 1;
    else high = middle;
  }
  return rising[low - 1];
}
