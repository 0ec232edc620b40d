/** A segment: what one data key seals of one batch of the log. @module */
import { SALT_BYTES } from '@holdfast/protocol';
import { SEAL_OVERHEAD_BYTES, open, seal } from '../crypto/index.ts';
import type { RandomBytes } from '../kernel/index.ts';
import { FORM_BYTES, packSegment, saltAt, unpackSegment } from './segment-packing.ts';

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

/** A segment that is to be sealed. */
export interface LaidOutSegment {
  /** What is to be sealed of it. */
  readonly packed: Uint8Array;
  readonly entries: readonly SegmentEntry[];
}

/**
 * Lays out a segment. The salts are taken from `salts`, by position, unless it is compressed; see
 * `packSegment`.
 */
export function layOutSegment(
  entries: readonly { readonly position: number; readonly pending: PendingEntry }[],
  { salts, random }: { salts: Uint8Array; random: RandomBytes },
): LaidOutSegment {
  let length = COUNTER_BYTES;
  for (const { pending } of entries) {
    length += ENTRY_HEADER_BYTES + LEAF_PREFIX_BYTES + pending.record.length;
  }
  const memory = Buffer.allocUnsafe(FORM_BYTES + length);
  const plaintext = memory.subarray(FORM_BYTES);
  let counterMax = 0;
  let at = COUNTER_BYTES;
  const laidOut = entries.map(({ position, pending }) => {
    counterMax = Math.max(counterMax, pending.counterMax);
    const preimageBytes = LEAF_PREFIX_BYTES + pending.record.length;
    plaintext.writeUInt32BE(position, at);
    plaintext.writeUInt32BE(preimageBytes, at + 4);
    const start = at + ENTRY_HEADER_BYTES;
    plaintext.fill(0, start, start + LEAF_PREFIX_BYTES);
    plaintext.set(pending.record, start + LEAF_PREFIX_BYTES);
    at = start + preimageBytes;
    return { position, leafPreimage: plaintext.subarray(start, at) };
  });
  plaintext.writeBigUInt64BE(BigInt(counterMax), 0);
  const unsalted = {
    memory,
    leaves: laidOut.map(({ leafPreimage }) => leafPreimage),
    salts: laidOut.map(({ position }) =>
      salts.subarray(position * SALT_BYTES, (position + 1) * SALT_BYTES),
    ),
  };
  return { packed: packSegment(unsalted, random), entries: laidOut };
}

/** Seals what {@link layOutSegment} gave, with its header before it. */
export function sealSegment(
  packed: Uint8Array,
  { place, key, random }: { place: SegmentPlace; key: Uint8Array; random: RandomBytes },
): Buffer {
  const sealed = seal(packed, { key, aad: segmentContext(place), random });
  return Buffer.concat([headerOf(place.keyRef, sealed.length), sealed]);
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
  return { counterMax: Number(plaintext.readBigUInt64BE(0)), entries };
}

/**
 * As {@link openSegment}, without an object for each entry: {@link visitLeaves} finds them.
 * @throws Fault `E_CRYPTO_OPEN`
 */
export function openPlaintext(
  sealed: Uint8Array,
  { place, key }: { place: SegmentPlace; key: Uint8Array },
): Buffer {
  const { plaintext, salts } = unpackSegment(open(sealed, { key, aad: segmentContext(place) }));
  if (salts === undefined) return plaintext;
  const starts: number[] = [];
  visitLeaves(plaintext, (_position, start) => starts.push(start));
  const made = salts(starts.length);
  for (const [at, start] of starts.entries()) plaintext.set(saltAt(made, at), start + 1);
  return plaintext;
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
