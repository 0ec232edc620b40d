/** CBOR as far as manifests need it, in its one deterministic form. @see RFC 8949 §4.2.1 @module */

/** Text, bytes, whole numbers within 53 bits, lists, maps and tags; no floats. */
export type Cbor =
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | readonly Cbor[]
  | CborMap
  | CborTag;

/** A tagged item. */
export class CborTag {
  readonly tag: number;
  readonly item: Cbor;

  constructor(tag: number, item: Cbor) {
    this.tag = tag;
    this.item = item;
  }
}

/** A map, whose keys may be any item. */
export class CborMap {
  readonly entries: readonly (readonly [Cbor, Cbor])[];

  constructor(entries: readonly (readonly [Cbor, Cbor])[]) {
    this.entries = entries;
  }

  /** The item under a number or a text. */
  get(key: number | string): Cbor | undefined {
    return this.entries.find(([name]) => name === key)?.[1];
  }
}

/** @throws RangeError for a number that is not whole, or beyond 53 bits; for a key that is twice there */
export function encodeCbor(item: Cbor): Uint8Array {
  if (item === null) return Uint8Array.of(NULL);
  if (item === true || item === false) return Uint8Array.of(item ? TRUE : FALSE);
  if (typeof item === 'number') {
    if (!Number.isSafeInteger(item)) throw new RangeError('not a whole number within 53 bits');
    return item < 0 ? head(MAJOR.negative, -1 - item) : head(MAJOR.unsigned, item);
  }
  if (typeof item === 'string') {
    const bytes = Buffer.from(item, 'utf8');
    return Buffer.concat([head(MAJOR.text, bytes.length), bytes]);
  }
  if (item instanceof Uint8Array) return Buffer.concat([head(MAJOR.bytes, item.length), item]);
  if (item instanceof CborTag)
    return Buffer.concat([head(MAJOR.tag, item.tag), encodeCbor(item.item)]);
  if (item instanceof CborMap) return encodeMap(item);
  return Buffer.concat([head(MAJOR.list, item.length), ...item.map(encodeCbor)]);
}

/** The initial byte of an item, and the number that belongs to it, in the fewest bytes. */
export function head(major: number, value: number): Uint8Array {
  const first = major << 5;
  if (value < ONE_BYTE) return Uint8Array.of(first | value);
  const size = value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : value < 2 ** 32 ? 4 : 8;
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = first | (ONE_BYTE + Math.log2(size));
  if (size === 8) bytes.writeBigUInt64BE(BigInt(value), 1);
  else bytes.writeUIntBE(value, 1, size);
  return bytes;
}

function encodeMap({ entries }: CborMap): Uint8Array {
  const encoded = entries.map(([key, item]) => [encodeCbor(key), encodeCbor(item)] as const);
  const sorted = encoded.toSorted(([one], [other]) => Buffer.compare(one, other));
  const isTwice = sorted.some(([key], index) => {
    const before = sorted[index - 1]?.[0];
    return before !== undefined && Buffer.compare(before, key) === 0;
  });
  if (isTwice) throw new RangeError('a key is twice in a map');
  return Buffer.concat([head(MAJOR.map, entries.length), ...sorted.flat()]);
}

/** The major types. RFC 8949 §3.1 */
export const MAJOR = {
  unsigned: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  list: 4,
  map: 5,
  tag: 6,
  simple: 7,
} as const;

/** Additional information from which on the number stands in following bytes. */
export const ONE_BYTE = 24;
/** Whole items of one byte. */
export const FALSE = 0xf4;
export const TRUE = 0xf5;
export const NULL = 0xf6;
