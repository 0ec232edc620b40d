/**
 * Rows as bytes, column by column: times by the change of their distance, places in the log by
 * their distance, decimal values by the distance of their digits, others by the bits that change.
 * All of it is compressed with Zstandard where that is smaller.
 * @module
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { ByteReader, ByteWriter } from './byte-writer.ts';
import { CHUNK_BYTES_MAX, CHUNK_ROWS_MAX, COMPRESSED_BYTES_MIN } from './limits.ts';
import { ABSENT, type Rows } from './rows.ts';

const STORED = 0;
const COMPRESSED = 1;
/** Digits behind the point that a column of decimal values may have. */
const DECIMALS_MAX = 6;
/** In place of the number of digits: the column holds binary doubles. */
const DOUBLES = 7;
const DECIMALS_MASK = 0b0111;
/** Behind the header of the column stands a bit for each row: whether it has a value. */
const SPARSE_BIT = 0b1000;
/** Twice the distance of two such numbers is still exact. */
const DIGITS_MAX = 2 ** 50;
const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6] as const;
const DOUBLE_BYTES = 8;

const writer = new ByteWriter();

/** Encodes rows, {@link CHUNK_ROWS_MAX} at most. */
export function encodeRows({ times, indexes, columns }: Rows): Buffer {
  writer.clear();
  writer.varint(times.length);
  let [before, distance] = [0, 0];
  for (const time of times) {
    writer.signed(time - before - distance);
    distance = time - before;
    before = time;
  }
  writeDistances(indexes, 1);
  const present = [...columns].filter(([, values]) => !values.every(Number.isNaN));
  writer.varint(present.length);
  for (const [column, values] of present) {
    writer.varint(column);
    const start = writer.length;
    writer.room(4);
    writeColumn(values);
    writer.setUint32(start, writer.length - start - 4);
  }
  return pack(writer.written);
}

/**
 * Decodes rows; of the columns only those that are wanted, where they are named.
 * @throws RangeError when the bytes are none.
 */
export function decodeRows(bytes: Uint8Array, wanted?: ReadonlySet<number>): Rows {
  const reader = new ByteReader(unpack(bytes));
  const length = reader.varint();
  if (length > CHUNK_ROWS_MAX) throw new RangeError(`a chunk of ${length} rows`);
  const times: number[] = [];
  let [before, distance] = [0, 0];
  for (let at = 0; at < length; at += 1) {
    distance += reader.signed();
    before += distance;
    times.push(before);
  }
  const indexes = readDistances(reader, length, 1);
  const columns = new Map<number, number[]>();
  for (let left = reader.varint(); left > 0; left -= 1) {
    const column = reader.varint();
    const content = reader.take(reader.take(4).readUInt32BE(0));
    if (wanted === undefined || wanted.has(column)) {
      columns.set(column, readColumn(new ByteReader(content), length));
    }
  }
  return { times, indexes, columns };
}

function writeColumn(values: readonly number[]): void {
  const present = values.filter((value) => !Number.isNaN(value));
  const isSparse = present.length < values.length;
  const decimals = decimalsOf(present);
  writer.byte(decimals | (isSparse ? SPARSE_BIT : 0));
  if (isSparse) {
    const bits = writer.room(Math.ceil(values.length / 8));
    for (const [at, value] of values.entries()) {
      if (!Number.isNaN(value)) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
    }
  }
  if (decimals === DOUBLES) writeDoubles(present);
  else writeDistances(present, POWERS[decimals] ?? 1);
}

function readColumn(reader: ByteReader, length: number): number[] {
  const flags = reader.byte();
  const isSparse = (flags & SPARSE_BIT) !== 0;
  const bits = isSparse ? reader.take(Math.ceil(length / 8)) : undefined;
  const has = (at: number): boolean =>
    bits === undefined || ((bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  let count = length;
  if (isSparse) {
    count = 0;
    for (let at = 0; at < length; at += 1) if (has(at)) count += 1;
  }
  const decimals = flags & DECIMALS_MASK;
  const present =
    decimals === DOUBLES
      ? readDoubles(reader, count)
      : readDistances(reader, count, POWERS[decimals] ?? 1);
  if (!isSparse) return present;
  let next = 0;
  return Array.from({ length }, (_, at) => (has(at) ? (present[next++] ?? ABSENT) : ABSENT));
}

/** The digits behind the point that all values get by with, or {@link DOUBLES}. */
function decimalsOf(values: readonly number[]): number {
  let decimals = 0;
  for (const value of values) {
    while (!isDecimal(value, POWERS[decimals] ?? 1)) {
      decimals += 1;
      if (decimals > DECIMALS_MAX) return DOUBLES;
    }
  }
  // An earlier value may be too large for the digits that a later one needs.
  const power = POWERS[decimals] ?? 1;
  return values.every((value) => isDecimal(value, power)) ? decimals : DOUBLES;
}

function isDecimal(value: number, power: number): boolean {
  const digits = Math.round(value * power);
  return digits / power === value && Math.abs(digits) <= DIGITS_MAX && !Object.is(value, -0);
}

function writeDistances(values: readonly number[], power: number): void {
  let before = 0;
  for (const value of values) {
    const digits = power === 1 ? value : Math.round(value * power);
    writer.signed(digits - before);
    before = digits;
  }
}

function readDistances(reader: ByteReader, count: number, power: number): number[] {
  const values: number[] = [];
  let digits = 0;
  for (let at = 0; at < count; at += 1) {
    digits += reader.signed();
    values.push(digits / power);
  }
  return values;
}

/** The bits that change from value to value, first bytes first: most of these are 0. */
function writeDoubles(values: readonly number[]): void {
  const count = values.length;
  const bytes = Buffer.from(Float64Array.from(values).buffer);
  const planes = writer.room(count * DOUBLE_BYTES);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = (bytes[at] ?? 0) ^ (bytes[at - DOUBLE_BYTES] ?? 0);
    planes[(at % DOUBLE_BYTES) * count + Math.floor(at / DOUBLE_BYTES)] = changed;
  }
}

function readDoubles(reader: ByteReader, count: number): number[] {
  const planes = reader.take(count * DOUBLE_BYTES);
  const bytes = new Uint8Array(count * DOUBLE_BYTES);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = planes[(at % DOUBLE_BYTES) * count + Math.floor(at / DOUBLE_BYTES)] ?? 0;
    bytes[at] = changed ^ (bytes[at - DOUBLE_BYTES] ?? 0);
  }
  return [...new Float64Array(bytes.buffer)];
}

function pack(plain: Buffer): Buffer {
  const compressed = plain.length < COMPRESSED_BYTES_MIN ? plain : zstdCompressSync(plain);
  return compressed.length < plain.length
    ? Buffer.concat([Buffer.of(COMPRESSED), compressed])
    : Buffer.concat([Buffer.of(STORED), plain]);
}

function unpack(bytes: Uint8Array): Uint8Array {
  const content = bytes.subarray(1);
  if (bytes[0] === STORED) return content;
  return zstdDecompressSync(content, { maxOutputLength: CHUNK_BYTES_MAX });
}
