/** A segment: what one data key seals of one batch of the log. @module */
import { SALT_BYTES } from '@holdfast/protocol';
import { SEAL_OVERHEAD_BYTES, open, openFault, sealInParts } from '../crypto/thread.ts';
import type { RandomBytes } from '../kernel/index.ts';
import { SEGMENTS_TOGETHER_MAX } from './limits.ts';
import {
  FORM_BYTES,
  SEED_BYTES,
  type Unpacked,
  decompressTogether,
  packSegment,
  unpackSegment,
} from './segment-packing.ts';

/** An entry on its way into the log. */
export interface PendingEntry {
  /** Number of the data key that is to seal it. */
  readonly keyRef: number;
  /** Highest replay counter of its device so far, this entry included; 0 where there is none. */
  readonly counterMax: number;
  /** The encoded entry. */
  readonly record: Uint8Array;
}

/** An entry in a segment, sealed or opened. */
export interface SegmentEntry {
  /** Place in its batch, from 0. */
  readonly position: number;
  /** What the leaf hash is taken over: 0x00, salt, record. RFC 9162 §2.1.1 */
  readonly leafPreimage: Buffer;
}

/** Where a segment stands: it opens nowhere else. */
export interface SegmentPlace {
  /** Index of the first entry of its batch. */
  readonly batchFirst: number;
  readonly keyRef: number;
}

/** Header in the clear before each sealed segment: key number and length of what follows. */
const HEADER_BYTES = 8;
const COUNTER_BYTES = 8;
const ENTRY_HEADER_BYTES = 8;
/** Bytes of a leaf's preimage before the record. */
export const LEAF_PREFIX_BYTES = 1 + SALT_BYTES;

/** Random bytes that a segment takes, at most: beside a salt for each entry, seed and nonce. */
export const SEGMENT_RANDOM_BYTES = SEED_BYTES + SEAL_OVERHEAD_BYTES;

/** A segment that is to be sealed. */
export interface LaidOutSegment {
  /** What is to be sealed of it. */
  readonly packed: Uint8Array;
  /** The leaf preimages, in the order of the positions. */
  readonly leaves: readonly Buffer[];
}

/** Lays out the segment of the entries that stand at these positions of a batch. */
export function layOutSegment(
  batch: readonly PendingEntry[],
  positions: readonly number[],
  random: RandomBytes,
): LaidOutSegment {
  const entries = positions.map((position) => entryAt(batch, position));
  let length = COUNTER_BYTES;
  for (const { record } of entries)
    length += ENTRY_HEADER_BYTES + LEAF_PREFIX_BYTES + record.length;
  const memory = Buffer.allocUnsafe(FORM_BYTES + length);
  let counterMax = 0;
  let at = FORM_BYTES + COUNTER_BYTES;
  const leaves = entries.map(({ counterMax: counter, record }, index) => {
    counterMax = Math.max(counterMax, counter);
    memory.writeUInt32BE(positions[index] ?? 0, at);
    memory.writeUInt32BE(LEAF_PREFIX_BYTES + record.length, at + 4);
    const start = at + ENTRY_HEADER_BYTES;
    memory.fill(0, start, start + LEAF_PREFIX_BYTES);
    memory.set(record, start + LEAF_PREFIX_BYTES);
    at = start + LEAF_PREFIX_BYTES + record.length;
    return memory.subarray(start, at);
  });
  memory.writeBigUInt64BE(BigInt(counterMax), FORM_BYTES);
  return { packed: packSegment({ memory, leaves }, random), leaves };
}

function entryAt(batch: readonly PendingEntry[], position: number): PendingEntry {
  const entry = batch[position];
  if (entry === undefined) throw new RangeError(`the batch has no entry ${position}`);
  return entry;
}

/** Seals what {@link layOutSegment} gave, with its header before it: parts, one behind the other. */
export function sealSegment(
  packed: Uint8Array,
  { place, key, random }: { place: SegmentPlace; key: Uint8Array; random: RandomBytes },
): Uint8Array[] {
  const sealed = sealInParts(packed, { key, aad: segmentContext(place), random });
  return [headerOf(place.keyRef, SEAL_OVERHEAD_BYTES + packed.length), ...sealed];
}

/** What stands in the place of a segment that has expired: its header, and nothing behind it. */
export function expiredSegment(keyRef: number): Buffer {
  return headerOf(keyRef, 0);
}

function headerOf(keyRef: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(keyRef, 0);
  header.writeUInt32BE(length, 4);
  return header;
}

/** A sealed segment within its batch. */
export interface SealedSegment {
  readonly keyRef: number;
  /** Empty when it has expired. */
  readonly sealed: Uint8Array;
  /** The same with its header. */
  readonly stored: Uint8Array;
}

/** Splits the bytes of a batch into its segments; undefined when they are damaged. */
export function splitSegments(batch: Uint8Array): SealedSegment[] | undefined {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const segments: SealedSegment[] = [];
  for (let at = 0; at < batch.length;) {
    if (at + HEADER_BYTES > batch.length) return undefined;
    const length = view.getUint32(at + 4);
    const end = at + HEADER_BYTES + length;
    const isWhole = length === 0 || length >= SEAL_OVERHEAD_BYTES;
    if (end > batch.length || !isWhole) return undefined;
    segments.push({
      keyRef: view.getUint32(at),
      sealed: batch.subarray(at + HEADER_BYTES, end),
      stored: batch.subarray(at, end),
    });
    at = end;
  }
  return segments;
}

/**
 * Opens a segment.
 * @throws Fault `E_CRYPTO_OPEN` when it was changed, moved, or the key is another.
 */
export function openSegment(
  sealed: Uint8Array,
  { place, key }: { place: SegmentPlace; key: Uint8Array },
): { counterMax: number; entries: SegmentEntry[] } {
  const plaintext = openPlaintext(sealed, { place, key });
  const entries: SegmentEntry[] = [];
  visitLeaves(plaintext, (position, start, end) => {
    entries.push({ position, leafPreimage: plaintext.subarray(start, end) });
  });
  return { counterMax: counterMaxIn(plaintext), entries };
}

/**
 * As {@link openSegment}, without an object for each entry: {@link visitLeaves} finds them.
 * @throws Fault `E_CRYPTO_OPEN`
 */
export function openPlaintext(
  sealed: Uint8Array,
  { place, key }: { place: SegmentPlace; key: Uint8Array },
): Buffer {
  return saltedOf(unpackSegment(open(sealed, { key, aad: segmentContext(place) })));
}

/** A segment of which the opening was tried. */
export interface OpenedSegment {
  readonly keyRef: number;
  /** Its plaintext, or why there is none: an error when it was changed or moved. */
  readonly opened: Buffer | 'expired' | 'erased' | Error;
}

/**
 * Opens the segments of a batch, in their order, some of them together: that is what takes the
 * least time for each. {@link counterMaxIn} and {@link visitLeaves} read what they give.
 * @param keyOf - Gives undefined for a key that was destroyed; what it throws is an error, too.
 */
export function* openSegments(
  batchFirst: number,
  segments: readonly SealedSegment[],
  keyOf: (keyRef: number) => Uint8Array | undefined,
): Generator<OpenedSegment> {
  for (let at = 0; at < segments.length; at += SEGMENTS_TOGETHER_MAX) {
    const group = segments.slice(at, at + SEGMENTS_TOGETHER_MAX);
    const packed = group.map(({ keyRef, sealed }) => {
      if (sealed.length === 0) return 'expired';
      return attempt(() => {
        const key = keyOf(keyRef);
        if (key === undefined) return 'erased';
        return open(sealed, { key, aad: segmentContext({ batchFirst, keyRef }) });
      });
    });
    const together = decompressTogether(packed.filter((one) => Buffer.isBuffer(one)));
    for (const [number, one] of packed.entries()) {
      const keyRef = group[number]?.keyRef ?? 0;
      const isOpen = Buffer.isBuffer(one);
      const opened = isOpen ? attempt(() => saltedOf(unpackSegment(one, together))) : one;
      yield { keyRef, opened };
    }
  }
}

function attempt<T>(task: () => T): T | Error {
  try {
    return task();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The plaintext with its salts in it. */
function saltedOf({ plaintext, salts }: Unpacked): Buffer {
  if (salts === undefined) return plaintext;
  const starts: number[] = [];
  visitLeaves(plaintext, (_position, start) => starts.push(start));
  const made = salts(starts.length);
  let at = 0;
  for (const start of starts) {
    if (start + LEAF_PREFIX_BYTES > plaintext.length) throw openFault();
    made.copy(plaintext, start + 1, at, at + SALT_BYTES);
    at += SALT_BYTES;
  }
  return plaintext;
}

/** Highest replay counter of its device when the segment was stored. */
export function counterMaxIn(plaintext: Buffer): number {
  return Number(plaintext.readBigUInt64BE(0));
}

/** Tells of each entry in a plaintext its place in the batch, and where its leaf preimage stands. */
export function visitLeaves(
  plaintext: Buffer,
  visit: (position: number, start: number, end: number) => void,
): void {
  for (let at = COUNTER_BYTES; at < plaintext.length;) {
    const start = at + ENTRY_HEADER_BYTES;
    const end = start + plaintext.readUInt32BE(at + 4);
    visit(plaintext.readUInt32BE(at), start, end);
    at = end;
  }
}

function segmentContext({ batchFirst, keyRef }: SegmentPlace): Buffer {
  return Buffer.from(`holdfast/segment/v2/${batchFirst}/${keyRef}`, 'latin1');
}
