/** The bytes of a batch on their way to the worker thread. @module */
import { type Entry, entryBytesMax, writeEntry } from '@holdfast/protocol';
import type { PendingEntry } from '../audit/index.ts';

/** Before each record: key number, replay counter, length. */
const HEADER_BYTES = 16;
const BUFFER_BYTES_MIN = 64 * 1_024;

/** Collects entries in one block of memory, which is then moved to the worker without a copy. */
export class BatchBuffer {
  #bytes: Buffer<ArrayBuffer>;
  #length = 0;

  constructor(memory: ArrayBuffer = new ArrayBuffer(BUFFER_BYTES_MIN)) {
    this.#bytes = Buffer.from(memory);
  }

  /** Bytes collected so far. */
  get length(): number {
    return this.#length;
  }

  append(entry: Entry, { keyRef, counterMax }: { keyRef: number; counterMax: number }): void {
    this.#reserve(HEADER_BYTES + entryBytesMax(entry));
    const start = this.#length + HEADER_BYTES;
    const end = writeEntry(this.#bytes, start, entry);
    this.#bytes.writeUInt32BE(keyRef, this.#length);
    this.#bytes.writeDoubleBE(counterMax, this.#length + 4);
    this.#bytes.writeUInt32BE(end - start, this.#length + 12);
    this.#length = end;
  }

  /** Gives the memory away; the buffer must not be used after. */
  take(): { memory: ArrayBuffer; length: number } {
    return { memory: this.#bytes.buffer, length: this.#length };
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.from(new ArrayBuffer(Math.max(needed, 2 * this.#bytes.length)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** Reads in the worker what {@link BatchBuffer} collected. The records are views of `memory`. */
export function readBatch(memory: ArrayBuffer, length: number): PendingEntry[] {
  const bytes = Buffer.from(memory, 0, length);
  const entries: PendingEntry[] = [];
  for (let at = 0; at < length;) {
    const start = at + HEADER_BYTES;
    const end = start + bytes.readUInt32BE(at + 12);
    entries.push({
      keyRef: bytes.readUInt32BE(at),
      counterMax: bytes.readDoubleBE(at + 4),
      record: bytes.subarray(start, end),
    });
    at = end;
  }
  return entries;
}
