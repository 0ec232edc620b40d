/** Takes messages in, and writes their numbers down in chunks that grow. @module */
import { type Entry, decodeEntry } from '@holdfast/protocol';
import type { StoredEntry } from '../../audit/index.ts';
import { Directory, LEVELS, type Stream, TIERS } from './directory.ts';
import { extract } from './extract.ts';
import {
  CHUNKS_MERGED,
  CHUNK_ROWS_MAX,
  DIRECTORIES_MAX,
  PENDING_MESSAGES_MAX,
  PENDING_VALUES_MAX,
  SERIES_IN_MEMORY_MAX,
} from './limits.ts';
import { ROLLED_SPANS_MS, mergeRolled, rollUp } from './roll-up.ts';
import { type Rows, concatRows, filterRows, noRows, splitRows } from './rows.ts';
import type { SeriesFile, SeriesKey } from './series-file.ts';
import type { Expired } from './usage.ts';

/** From how many rows on a chunk has which tier. A smaller one is of tier 0. */
const TIER_ROWS = [0, 64, 512, 2_048] as const;

/** What the writer needs. */
export interface SeriesWriterDeps {
  readonly file: SeriesFile;
  /** The key of a number that was found in the log; undefined for one that there is no more. */
  readonly keyOf: (keyRef: number) => SeriesKey | undefined;
}

/**
 * What is in memory beside the file. A checkpoint writes all that waits, and how far the log has
 * been taken in, in one transaction: after a crash nothing is missing and nothing is double.
 *
 * Raw rows in chunks of tier 0 are not rolled up so far; all others are, once.
 */
export class SeriesWriter {
  readonly #file: SeriesFile;
  readonly #keyOf: SeriesWriterDeps['keyOf'];
  readonly #directories = new Map<number, Directory>();
  #pendingValues = 0;
  #pendingMessages = 0;
  /** Series of all directories that are in memory. */
  #series = 0;
  #next: number;

  constructor({ file, keyOf }: SeriesWriterDeps) {
    this.#file = file;
    this.#keyOf = keyOf;
    this.#next = file.next;
  }

  /** Index of the first entry of the log that was not taken in. */
  get next(): number {
    return this.#next;
  }

  /** Whether enough waits to be written. */
  get isFull(): boolean {
    return (
      this.#pendingValues >= PENDING_VALUES_MAX ||
      this.#pendingMessages >= PENDING_MESSAGES_MAX ||
      (this.#series >= SERIES_IN_MEMORY_MAX && this.hasPending)
    );
  }

  /** Whether anything waits to be written. */
  get hasPending(): boolean {
    return this.#pendingMessages > 0;
  }

  /** Takes entries in; `next` is where the log goes on behind them. */
  add(entries: readonly StoredEntry[], next: number): void {
    for (const { index, keyRef, record } of entries) {
      const entry = decodeEntry(record);
      if (entry === undefined) continue;
      this.addEntry({ index, keyRef, bytes: record.length }, entry);
    }
    this.#next = next;
  }

  addEntry(place: { index: number; keyRef: number; bytes: number }, entry: Entry): void {
    const directory = this.directory(place.keyRef);
    if (directory === undefined) return;
    directory.usage.add(place.index, entry.atMs, place.bytes);
    directory.isChanged = true;
    this.#pendingMessages += 1;
    const extracted = extract(entry);
    if (extracted === undefined) return;
    const { seriesCount } = directory;
    this.#pendingValues += directory.add(extracted, place.index);
    this.#series += directory.seriesCount - seriesCount;
  }

  /** The directory of a key that there is; a new one when nothing was sent under it so far. */
  directory(keyRef: number): Directory | undefined {
    const known = this.#directories.get(keyRef);
    if (known !== undefined) return known;
    const key = this.#keyOf(keyRef);
    if (key === undefined) return undefined;
    const directory = new Directory(keyRef, this.#file.readDirectory(key));
    this.#directories.set(keyRef, directory);
    this.#series += directory.seriesCount;
    return directory;
  }

  /** Writes all that waits, in one transaction: does a slice of it at each step. */
  *checkpoint(): Generator<void> {
    const changed = [...this.#directories.values()].filter(({ isChanged }) => isChanged);
    this.#file.database.exec('BEGIN IMMEDIATE');
    try {
      for (const directory of changed.sort((a, b) => a.keyRef - b.keyRef)) {
        const key = this.#keyOf(directory.keyRef);
        if (key === undefined) continue;
        for (const [number, stream] of directory.streams.entries()) {
          this.#writePending(key, number, stream);
        }
        this.#file.writeDirectory(key, directory.toText());
        yield;
      }
      this.#file.setNext(this.#next);
      this.#file.database.exec('COMMIT');
    } catch (error) {
      this.#startAgain();
      throw error;
    }
    // Until now, queries found in memory what was not committed.
    for (const directory of changed) {
      directory.isChanged = false;
      for (const stream of directory.streams) stream.pending = noRows();
    }
    this.#pendingValues = 0;
    this.#pendingMessages = 0;
    this.trim();
  }

  /** Forgets directories beyond what memory is meant for. */
  trim(): void {
    const seriesMax =
      this.#series >= SERIES_IN_MEMORY_MAX ? SERIES_IN_MEMORY_MAX / 2 : SERIES_IN_MEMORY_MAX;
    for (const [keyRef, { isChanged }] of this.#directories) {
      if (this.#directories.size <= DIRECTORIES_MAX && this.#series <= seriesMax) return;
      if (!isChanged) this.#drop(keyRef);
    }
  }

  #drop(keyRef: number): void {
    this.#series -= this.#directories.get(keyRef)?.seriesCount ?? 0;
    this.#directories.delete(keyRef);
  }

  /** Removes what has expired of a key; to be called behind a checkpoint. */
  expire(keyRef: number, { before }: Pick<Expired, 'before'>, rolledFromMs: number): void {
    const key = this.#keyOf(keyRef);
    const directory = this.directory(keyRef);
    if (key === undefined || directory === undefined) return;
    this.#transaction(() => {
      for (const [number, stream] of directory.streams.entries()) {
        // What goes is rolled up first, if it was not.
        this.#mergeTier(key, { number, stream, level: 0, tier: 0 });
        this.#cut(key, { number, stream, level: 0 }, { from: before, of: 'indexes' });
        for (let level = 1; level < LEVELS; level += 1) {
          this.#cut(key, { number, stream, level }, { from: rolledFromMs, of: 'times' });
        }
      }
      directory.usage.forget(before);
      this.#file.writeDirectory(key, directory.toText());
    });
  }

  /** Removes all that stands under keys that there are no more. */
  forget(keyRefs: readonly number[]): void {
    for (const keyRef of keyRefs) this.#drop(keyRef);
    this.#transaction(() => {
      for (const keyRef of keyRefs) this.#file.remove(keyRef);
    });
    this.#file.scrub();
  }

  /** Forgets everything, and begins with the log from its start. */
  rebuild(): void {
    this.#transaction(() => this.#file.clear());
    this.#startAgain();
  }

  #transaction(task: () => void): void {
    this.#file.database.exec('BEGIN IMMEDIATE');
    try {
      task();
      this.#file.database.exec('COMMIT');
    } catch (error) {
      this.#startAgain();
      throw error;
    }
  }

  /** What is in memory may not be what is in the file: it is read from there again. */
  #startAgain(): void {
    if (this.#file.database.isTransaction) this.#file.database.exec('ROLLBACK');
    this.#directories.clear();
    this.#series = 0;
    this.#pendingValues = 0;
    this.#pendingMessages = 0;
    this.#next = this.#file.next;
  }

  #writePending(key: SeriesKey, number: number, stream: Stream): void {
    if (stream.pending.times.length === 0) return;
    for (const rows of splitRows(stream.pending, CHUNK_ROWS_MAX)) {
      const tier = tierOf(rows.times.length);
      // A small one waits for others before it is rolled up.
      if (tier > 0) this.#rollUp(key, number, stream, rows);
      this.#add(key, { number, stream, level: 0, tier }, rows);
    }
  }

  #rollUp(key: SeriesKey, number: number, stream: Stream, rows: Rows): void {
    for (const [at, spanMs] of ROLLED_SPANS_MS.entries()) {
      for (const rolled of splitRows(rollUp(rows, spanMs), CHUNK_ROWS_MAX)) {
        const tier = tierOf(rolled.times.length);
        this.#add(key, { number, stream, level: at + 1, tier }, rolled);
      }
    }
  }

  #add(key: SeriesKey, place: TierPlace, rows: Rows): void {
    const { number, stream, level, tier } = place;
    this.#file.addChunk(key, { stream: number, level, tier }, rows);
    const counts = stream.chunks[level];
    if (counts === undefined || tier === TIERS - 1) return;
    const count = (counts[tier] ?? 0) + 1;
    counts[tier] = count;
    if (count >= CHUNKS_MERGED) this.#mergeTier(key, place);
  }

  /** Makes chunks of the next tier of all chunks of one. */
  #mergeTier(key: SeriesKey, place: TierPlace): void {
    const { number, stream, level, tier } = place;
    const counts = stream.chunks[level];
    if (counts === undefined || (counts[tier] ?? 0) === 0) return;
    counts[tier] = 0;
    const heads = this.#file.heads(key, { stream: number, level, tier });
    const raw = concatRows(heads.map(({ id }) => this.#file.rows(key, id)));
    for (const { id } of heads) this.#file.removeChunk(id);
    if (level === 0 && tier === 0) this.#rollUp(key, number, stream, raw);
    const merged = level === 0 ? raw : mergeRolled(raw, ROLLED_SPANS_MS[level - 1] ?? 1);
    for (const rows of splitRows(merged, CHUNK_ROWS_MAX)) {
      this.#add(key, { ...place, tier: Math.min(tier + 1, TIERS - 1) }, rows);
    }
  }

  /** Keeps of all chunks of a level the rows from a place in the log, or a time, on. */
  #cut(
    key: SeriesKey,
    { number, stream, level }: Omit<TierPlace, 'tier'>,
    { from, of }: { readonly from: number; readonly of: 'indexes' | 'times' },
  ): void {
    for (const head of this.#file.heads(key, { stream: number, level })) {
      const [min, max] = of === 'times' ? [head.minMs, head.maxMs] : [head.minIndex, head.maxIndex];
      if (min >= from) continue;
      if (max >= from) {
        const rows = this.#file.rows(key, head.id);
        const kept = filterRows(rows, (at) => (rows[of][at] ?? 0) >= from);
        this.#file.replaceChunk(key, head.id, kept);
        continue;
      }
      this.#file.removeChunk(head.id);
      const counts = stream.chunks[level];
      if (counts !== undefined && head.tier < TIERS - 1) {
        counts[head.tier] = (counts[head.tier] ?? 1) - 1;
      }
    }
  }
}

interface TierPlace {
  readonly number: number;
  readonly stream: Stream;
  readonly level: number;
  readonly tier: number;
}

function tierOf(rows: number): number {
  return TIER_ROWS.findLastIndex((min) => rows >= min);
}
