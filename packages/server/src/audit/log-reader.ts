/** Reads entries of the sealed log back: by key, by place, and from a place on. @module */
import type { LogFiles, StoredBatch } from './log-files.ts';
import type { SegmentIndex } from './segment-index.ts';
import {
  LEAF_PREFIX_BYTES,
  type SegmentPlace,
  counterMaxIn,
  openPlaintext,
  openSegments,
  splitSegments,
  visitLeaves,
} from './segment.ts';

/** An entry that was read back. */
export interface StoredEntry {
  readonly index: number;
  /** Number of the data key that sealed it. */
  readonly keyRef: number;
  /** Highest replay counter of its device when its batch was stored. */
  readonly counterMax: number;
  /** The encoded entry. */
  readonly record: Buffer;
}

/** Where an entry stands, and the number of the data key that sealed it. */
export interface EntryPlace {
  readonly index: number;
  readonly keyRef: number;
}

/** What is read in one go, and what of it could not be read. */
export interface EntryPage {
  readonly entries: readonly StoredEntry[];
  /** Each of them in plain words; empty when everything is as it was written. */
  readonly problems: readonly string[];
}

/** A page of {@link LogReader.readForwards}. */
export interface ForwardPage extends EntryPage {
  /** Index from which the next page starts; undefined after the last one. */
  readonly next: number | undefined;
}

/** Gives the data key under a number; undefined for one that was destroyed. */
export type FindKey = (keyRef: number) => Uint8Array | undefined;

/** Reads the entries of one log. What is damaged costs the entries of its segment, no others. */
export class LogReader {
  readonly #files: LogFiles;
  readonly #index: SegmentIndex;

  constructor(files: LogFiles, index: SegmentIndex) {
    this.#files = files;
    this.#index = index;
  }

  /** Entries under one data key, newest first, with indexes below `before`; at most `limit`. */
  readBackwards(
    { keyRef, key }: { keyRef: number; key: Uint8Array },
    { before, limit }: { before: number; limit: number },
  ): StoredEntry[] {
    const found: StoredEntry[] = [];
    const expiredUntil = this.#files.expiredUntil(keyRef);
    let batch = this.#batchBefore(keyRef, before);
    while (batch !== undefined && batch.first >= expiredUntil && found.length < limit) {
      const place = { batchFirst: batch.first, keyRef };
      for (const segment of splitSegments(batch.sealed) ?? []) {
        if (segment.keyRef !== keyRef || segment.sealed.length === 0) continue;
        const plaintext = openPlaintext(segment.sealed, { place, key });
        for (const entry of entriesIn(plaintext, place).reverse()) {
          if (entry.index < before && found.length < limit) found.push(entry);
        }
      }
      batch = this.#batchBefore(keyRef, batch.first);
    }
    return found;
  }

  /** The entries at some places, in no particular order, without those that are not there. */
  readAt(places: readonly EntryPlace[], findKey: FindKey): EntryPage {
    const entries: StoredEntry[] = [];
    const problems: string[] = [];
    const wanted = places.toSorted((a, b) => a.index - b.index);
    for (let at = 0; at < wanted.length;) {
      const start = at;
      const first = wanted[at]?.index ?? 0;
      const batch = this.#attempt(problems, () => this.#files.batchAt(first));
      const end = batch === undefined ? first : batch.first + batch.count;
      do at += 1;
      while ((wanted[at]?.index ?? end) < end);
      if (batch === undefined) continue;
      const ofBatch = wanted.slice(start, at);
      const indexes = new Set(ofBatch.map(({ index }) => index));
      const keyRefs = new Set(ofBatch.map(({ keyRef }) => keyRef));
      const isSkipped = (keyRef: number): boolean => !keyRefs.has(keyRef);
      for (const entry of this.#openBatch(batch, { findKey, isSkipped, problems })) {
        if (!indexes.has(entry.index)) continue;
        // A copy: a view would send the whole segment to the other thread.
        entries.push({ ...entry, record: Buffer.from(new Uint8Array(entry.record).buffer) });
      }
    }
    return { entries, problems };
  }

  /**
   * Entries from `from` on and below `to`, in their order: those of whole batches, until there
   * are `bytesMin` bytes of them. Those whose key was destroyed are left out.
   */
  readForwards(
    { from, to, bytesMin }: { from: number; to: number; bytesMin: number },
    findKey: FindKey,
  ): ForwardPage {
    const entries: StoredEntry[] = [];
    const problems: string[] = [];
    let bytes = 0;
    let next = from;
    while (bytes < bytesMin) {
      const batch = this.#batchFrom(next, problems);
      if (batch === undefined || batch.first >= to) return { entries, problems, next: undefined };
      const opened = this.#openBatch(batch, { findKey, isSkipped: () => false, problems });
      for (const entry of opened.sort((a, b) => a.index - b.index)) {
        if (entry.index >= from && entry.index < to) entries.push(entry);
      }
      // What was compressed is larger in memory; what is not opened has been read all the same.
      const openedBytes = opened.reduce((sum, { record }) => sum + record.length, 0);
      bytes += Math.max(batch.sealed.length, openedBytes);
      next = batch.first + Math.max(1, batch.count);
    }
    return { entries, problems, next };
  }

  /** The last batch that starts before `before` and has a segment of this key. */
  #batchBefore(keyRef: number, before: number): StoredBatch | undefined {
    const first = this.#index.batchBefore(keyRef, before);
    return first === undefined ? undefined : this.#files.batchAt(first);
  }

  /** The batch that has the entry at `index`, or else the one behind it. */
  #batchFrom(index: number, problems: string[]): StoredBatch | undefined {
    const at = this.#attempt(problems, () => this.#files.batchAt(index));
    if (at !== undefined && at.first + at.count > index) return at;
    return this.#attempt(problems, () => this.#files.batchFrom(index));
  }

  #openBatch(
    { first, sealed: batch }: StoredBatch,
    options: {
      readonly findKey: FindKey;
      readonly isSkipped: (keyRef: number) => boolean;
      readonly problems: string[];
    },
  ): StoredEntry[] {
    const segments = splitSegments(batch);
    if (segments === undefined) options.problems.push(`the batch at ${first} is damaged`);
    const { findKey, isSkipped, problems } = options;
    const keyOf = (keyRef: number): Uint8Array | undefined =>
      isSkipped(keyRef) ? undefined : findKey(keyRef);
    const entries: StoredEntry[] = [];
    for (const { keyRef, opened } of openSegments(first, segments ?? [], keyOf)) {
      if (opened instanceof Error) problems.push(opened.message);
      if (!Buffer.isBuffer(opened)) continue;
      const read = (): StoredEntry[] => entriesIn(opened, { batchFirst: first, keyRef });
      for (const entry of this.#attempt(problems, read) ?? []) entries.push(entry);
    }
    return entries;
  }

  #attempt<T>(problems: string[], read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
}

/** The entries of a segment that was opened. */
function entriesIn(plaintext: Buffer, { batchFirst, keyRef }: SegmentPlace): StoredEntry[] {
  const counterMax = counterMaxIn(plaintext);
  const entries: StoredEntry[] = [];
  visitLeaves(plaintext, (position, start, end) => {
    const record = plaintext.subarray(start + LEAF_PREFIX_BYTES, end);
    entries.push({ index: batchFirst + position, keyRef, counterMax, record });
  });
  return entries;
}
