/** A segment: what one data key seals of one batch of the log. @module */
import { SALT_BYTES } from '@holdfast/protocol';
import { SEAL_OVERHEAD_BYTES, open, seal } from '../crypto/index.ts';
import type { RandomBytes } from '../kernel/index.ts';

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

/** Lays out the plaintext of a segment. Each salt is taken from `salts`, by position. */
export function layOutSegment(
  entries: readonly { readonly position: number; readonly pending: PendingEntry }[],
  salts: Uint8Array,
): { plaintext: Buffer; entries: SegmentEntry[] } {
  let length = COUNTER_BYTES;
  for (const { pending } of entries) {
    length += ENTRY_HEADER_BYTES + LEAF_PREFIX_BYTES + pending.record.length;
  }
  const plaintext = Buffer.allocUnsafe(length);
  let counterMax = 0;
  let at = COUNTER_BYTES;
  const laidOut = entries.map(({ position, pending }) => {
    counterMax = Math.max(counterMax, pending.counterMax);
    const preimageBytes = LEAF_PREFIX_BYTES + pending.record.length;
    plaintext.writeUInt32BE(position, at);
    plaintext.writeUInt32BE(preimageBytes, at + 4);
    const start = at + ENTRY_HEADER_BYTES;
    plaintext[start] = 0x00;
    plaintext.set(salts.subarray(position * SALT_BYTES, (position + 1) * SALT_BYTES), start + 1);
    plaintext.set(pending.record, start + LEAF_PREFIX_BYTES);
    at = start + preimageBytes;
    return { position, leafPreimage: plaintext.subarray(start, at) };
  });
  plaintext.writeBigUInt64BE(BigInt(counterMax), 0);
  return { plaintext, entries: laidOut };
}

/** Seals a laid-out segment, with its header before it. */
export function sealSegment(
  plaintext: Uint8Array,
  { place, key, random }: { place: SegmentPlace; key: Uint8Array; random: RandomBytes },
): Buffer {
  const sealed = seal(plaintext, { key, aad: segmentContext(place), random });
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(place.keyRef, 0);
  header.writeUInt32BE(sealed.length, 4);
  return Buffer.concat([header, sealed]);
}

/** A sealed segment within its batch. */
export interface SealedSegment {
  readonly keyRef: number;
  readonly sealed: Uint8Array;
}

/** Splits the bytes of a batch into its segments; undefined when they are damaged. */
export function splitSegments(batch: Uint8Array): SealedSegment[] | undefined {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const segments: SealedSegment[] = [];
  for (let at = 0; at < batch.length;) {
    if (at + HEADER_BYTES > batch.length) return undefined;
    const end = at + HEADER_BYTES + view.getUint32(at + 4);
    if (end > batch.length || end - at < HEADER_BYTES + SEAL_OVERHEAD_BYTES) return undefined;
    segments.push({
      keyRef: view.getUint32(at),
      sealed: batch.subarray(at + HEADER_BYTES, end),
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
  const plaintext = open(sealed, { key, aad: segmentContext(place) });
  const entries: SegmentEntry[] = [];
  for (let at = COUNTER_BYTES; at < plaintext.length;) {
    const start = at + ENTRY_HEADER_BYTES;
    const end = start + plaintext.readUInt32BE(at + 4);
    entries.push({
      position: plaintext.readUInt32BE(at),
      leafPreimage: plaintext.subarray(start, end),
    });
    at = end;
  }
  return { counterMax: Number(plaintext.readBigUInt64BE(0)), entries };
}

function segmentContext({ batchFirst, keyRef }: SegmentPlace): Buffer {
  return Buffer.from(`holdfast/segment/v1/${batchFirst}/${keyRef}`, 'latin1');
}
