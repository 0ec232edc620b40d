/** How much a device sent until when, so that it can be told what is too old or too much. @module */
import { USAGE_MARKS_MAX, USAGE_MARK_MS_MIN } from './limits.ts';
import type { StoredUsage } from './stored-directory.ts';

/** What is to be kept of a device; undefined keeps all. */
export interface Keep {
  /** What the server took in before this time is too old. */
  readonly fromMs?: number | undefined;
  /** Bytes of entries, at most. */
  readonly bytesMax?: number | undefined;
}

/** What is to expire of a device. */
export interface Expired {
  /** Index of the first entry that stays. */
  readonly before: number;
  /** When the server took in the last one that goes. */
  readonly untilMs: number;
}

interface Mark {
  index: number;
  fromMs: number;
  untilMs: number;
  bytes: number;
}

/** The marks of one data key, oldest first. */
export class Usage {
  #marks: Mark[];

  constructor({ indexes, times, bytes }: StoredUsage) {
    this.#marks = indexes.map((index, at) => ({
      index,
      fromMs: times[2 * at] ?? 0,
      untilMs: times[2 * at + 1] ?? 0,
      bytes: bytes[at] ?? 0,
    }));
  }

  toStored(): StoredUsage {
    return {
      indexes: this.#marks.map(({ index }) => index),
      times: this.#marks.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]),
      bytes: this.#marks.map(({ bytes }) => bytes),
    };
  }

  /** Bytes of all entries that are there. */
  get bytes(): number {
    return this.#marks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** An entry was taken in, after all others. */
  add(index: number, atMs: number, bytes: number): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && atMs - last.fromMs < USAGE_MARK_MS_MIN) {
      last.index = index;
      last.untilMs = Math.max(last.untilMs, atMs);
      last.bytes += bytes;
      return;
    }
    if (this.#marks.length >= USAGE_MARKS_MAX) this.#joinPairs();
    this.#marks.push({ index, fromMs: atMs, untilMs: atMs, bytes });
  }

  /** What is to go so that no more stays than is to be kept. The newest mark always stays. */
  expired({ fromMs = Number.NEGATIVE_INFINITY, bytesMax = Infinity }: Keep): Expired | undefined {
    let [bytes, found]: [number, Mark | undefined] = [this.bytes, undefined];
    for (const mark of this.#marks.slice(0, -1)) {
      if (mark.untilMs >= fromMs && bytes <= bytesMax) break;
      bytes -= mark.bytes;
      found = mark;
    }
    return found && { before: found.index + 1, untilMs: found.untilMs };
  }

  /** What was before this entry has gone. */
  forget(before: number): void {
    this.#marks = this.#marks.filter(({ index }) => index >= before);
  }

  #joinPairs(): void {
    const joined: Mark[] = [];
    for (const [at, mark] of this.#marks.entries()) {
      const first = joined.at(-1);
      if (at % 2 === 0 || first === undefined) joined.push(mark);
      else Object.assign(first, { ...mark, fromMs: first.fromMs, bytes: first.bytes + mark.bytes });
    }
    this.#marks = joined;
  }
}
