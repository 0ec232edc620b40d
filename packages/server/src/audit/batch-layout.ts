/**
 * The layout of a batch: which data key sealed which of its entries. It is sealed beside the
 * segments, so that what one key sealed cannot be passed off as what an erased key did.
 * @module
 */
import { open, openFault, sealInParts } from '../crypto/thread.ts';
import type { RandomBytes } from '../kernel/index.ts';

/** Which data key sealed which entry of a batch. */
export interface BatchLayout {
  /** Numbers of the data keys, in the order of their segments. */
  readonly keyRefs: readonly number[];
  /** For each entry: the place of its key in {@link keyRefs}. */
  readonly owners: Uint8Array | Uint32Array;
}

/** Number of the data key before the sealed layout. */
const HEADER_BYTES = 4;
const COUNT_BYTES = 4;
const KEY_REF_BYTES = 4;

/** Bytes of a batch's layout, sealed, at most: what its data key is charged for. */
export function layoutBytesMax(entries: number): number {
  return COUNT_BYTES + entries * (KEY_REF_BYTES + 4);
}

/** Seals the layout of the batch that begins at entry `batchFirst`. */
export function sealLayout(
  layout: BatchLayout,
  options: {
    readonly batchFirst: number;
    readonly keyRef: number;
    readonly key: Uint8Array;
    readonly random: RandomBytes;
  },
): Buffer {
  const { batchFirst, keyRef, key, random } = options;
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(keyRef);
  const aad = contextOf(batchFirst, keyRef);
  return Buffer.concat([header, ...sealInParts(encode(layout), { key, aad, random })]);
}

/** Number of the data key that seals a stored layout; undefined when it is damaged. */
export function layoutKeyRef(stored: Uint8Array): number | undefined {
  if (stored.length < HEADER_BYTES) return undefined;
  return new DataView(stored.buffer, stored.byteOffset).getUint32(0);
}

/**
 * Opens the layout of a batch of `count` entries.
 * @throws Fault `E_CRYPTO_OPEN` when it was changed, moved, or the key is another.
 */
export function openLayout(
  stored: Uint8Array,
  {
    batchFirst,
    count,
    key,
  }: { readonly batchFirst: number; readonly count: number; readonly key: Uint8Array },
): BatchLayout {
  const aad = contextOf(batchFirst, layoutKeyRef(stored) ?? 0);
  return decode(open(stored.subarray(HEADER_BYTES), { key, aad }), count);
}

/** Bytes that an owner takes: none where there is no choice. */
function ownerBytes(segments: number): 0 | 1 | 2 | 4 {
  if (segments <= 1) return 0;
  if (segments <= 0x1_00) return 1;
  return segments <= 0x1_00_00 ? 2 : 4;
}

function encode({ keyRefs, owners }: BatchLayout): Buffer {
  const width = ownerBytes(keyRefs.length);
  const start = COUNT_BYTES + keyRefs.length * KEY_REF_BYTES;
  const bytes = Buffer.allocUnsafe(start + owners.length * width);
  bytes.writeUInt32BE(keyRefs.length);
  let at = COUNT_BYTES;
  for (const keyRef of keyRefs) at = bytes.writeUInt32BE(keyRef, at);
  if (width === 1) bytes.set(owners, start);
  else if (width > 1) for (const owner of owners) at = bytes.writeUIntBE(owner, at, width);
  return bytes;
}

function decode(bytes: Buffer, count: number): BatchLayout {
  const segments = bytes.readUInt32BE();
  const width = ownerBytes(segments);
  const start = COUNT_BYTES + segments * KEY_REF_BYTES;
  // Whoever seals says the count as well; a batch whose count was changed does not fit.
  if (bytes.length !== start + count * width) throw openFault();
  const keyRefs = Array.from({ length: segments }, (_, at) =>
    bytes.readUInt32BE(COUNT_BYTES + at * KEY_REF_BYTES),
  );
  if (width <= 1) {
    return { keyRefs, owners: width === 0 ? new Uint8Array(count) : bytes.subarray(start) };
  }
  const owners = new Uint32Array(count);
  for (let at = 0; at < count; at += 1) owners[at] = bytes.readUIntBE(start + at * width, width);
  return { keyRefs, owners };
}

function contextOf(batchFirst: number, keyRef: number): Buffer {
  return Buffer.from(`holdfast/layout/v1/${batchFirst}/${keyRef}`, 'latin1');
}
