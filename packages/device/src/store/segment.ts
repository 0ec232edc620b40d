/**
 * The files of stored messages. A segment is a header, which salts its key, and sealed records,
 * each bound to its place. It is written by one process, to its end: what a crash has torn off is
 * never written over, so no nonce is used for two contents.
 * @module
 */
import { type KeyObject, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { SIGNED_JSON_LIMITS } from '@holdfast/protocol';
import type { StoreKey } from './store-key.ts';

/** Where a segment is, and how much of it still counts. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** Messages in it that are neither delivered nor dropped. */
  liveCount: number;
}

/** The segment of a folder with this number. */
export function segmentOf(folder: string, number: number): Segment {
  const name = `${number.toString(16).padStart(NUMBER_DIGITS, '0')}.segment`;
  return { number, path: join(folder, name), liveCount: 0 };
}

/** The number of a segment by the name of its file; undefined for another file. */
export function segmentNumber(name: string): number | undefined {
  const match = /^([0-9a-f]{12})\.segment$/u.exec(name);
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 16);
}

/** Writes a new segment. */
export class SegmentWriter {
  readonly segment: Segment;
  readonly #file: FileHandle;
  readonly #key: KeyObject;
  #count = 0;
  /** Bytes of what was written without a failure. */
  #size: number;

  private constructor(segment: Segment, { file, key }: { file: FileHandle; key: KeyObject }) {
    this.segment = segment;
    this.#file = file;
    this.#key = key;
    this.#size = HEADER_BYTES;
  }

  static async create(segment: Segment, storeKey: StoreKey): Promise<SegmentWriter> {
    const salt = randomBytes(SALT_BYTES);
    const file = await open(segment.path, 'wx', 0o600);
    try {
      await file.appendFile(Buffer.concat([MAGIC, salt]));
      const folder = await open(join(segment.path, '..'), 'r');
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
      return new SegmentWriter(segment, { file, key: segmentKey(storeKey, segment, salt) });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Writes records; after `sync` they are durable. */
  async write(records: readonly Uint8Array[], { sync }: { sync: boolean }): Promise<void> {
    const frames = Buffer.concat(records.map((record) => this.#frame(record)));
    await this.#file.appendFile(frames);
    if (sync) await this.#file.datasync();
    this.#size += frames.length;
  }

  /** Takes back what a failed write has left. The segment must not be written again. */
  async abandon(): Promise<void> {
    await this.#file.truncate(this.#size).catch(() => {});
    await this.close();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #frame(record: Uint8Array): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(this.#count));
    this.#count += 1;
    const head = Buffer.alloc(LENGTH_BYTES);
    head.writeUInt32BE(record.length + TAG_BYTES);
    const body = [cipher.update(record), cipher.final()];
    return Buffer.concat([head, ...body, cipher.getAuthTag()]);
  }
}

/** What was read of a segment. */
export interface ReadSegment {
  readonly records: Buffer[];
  /** Bytes at the end that are no whole record: a crash came between. */
  readonly tornBytes: number;
  /** Records that do not open: changed, or of another key. */
  readonly damagedCount: number;
}

/** Reads and opens what is whole in a segment. */
export function readSegment(segment: Segment, storeKey: StoreKey): ReadSegment {
  const bytes = readFileSync(segment.path);
  const records: Buffer[] = [];
  if (bytes.length < HEADER_BYTES) return { records, tornBytes: bytes.length, damagedCount: 0 };
  const isOurs = bytes.subarray(0, MAGIC.length).equals(MAGIC);
  if (!isOurs) return { records, tornBytes: 0, damagedCount: 1 };
  const key = segmentKey(storeKey, segment, bytes.subarray(MAGIC.length, HEADER_BYTES));
  let at = HEADER_BYTES;
  let damagedCount = 0;
  for (let count = 0; ; count += 1) {
    const length = at + LENGTH_BYTES <= bytes.length ? bytes.readUInt32BE(at) : 0;
    const start = at + LENGTH_BYTES;
    const isWhole = length > TAG_BYTES && length <= RECORD_BYTES_MAX;
    if (!isWhole || start + length > bytes.length) break;
    const record = openRecord(key, { count, sealed: bytes.subarray(start, start + length) });
    if (record === undefined) damagedCount += 1;
    else records.push(record);
    at = start + length;
  }
  if (isTorn(bytes.subarray(at))) return { records, tornBytes: bytes.length - at, damagedCount };
  // What follows cannot be told apart any more: at least one record.
  return { records, tornBytes: 0, damagedCount: damagedCount + 1 };
}

/** Whether a crash can have left this: the beginning of one record, or zeros of the file system. */
function isTorn(rest: Buffer): boolean {
  if (rest.length < LENGTH_BYTES || rest.every((byte) => byte === 0)) return true;
  const length = rest.readUInt32BE(0);
  return length > TAG_BYTES && length <= RECORD_BYTES_MAX;
}

function openRecord(
  key: KeyObject,
  { count, sealed }: { count: number; sealed: Buffer },
): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(count), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function segmentKey(storeKey: StoreKey, { number }: Segment, salt: Uint8Array): KeyObject {
  return storeKey.subkey(`segment ${number}`, salt);
}

function nonceOf(count: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(count, 8);
  return nonce;
}

/** "HFSEG" and the version of the format. */
const MAGIC = Buffer.from('HFSEG\0\0\u0001', 'latin1');
const SALT_BYTES = 16;
const HEADER_BYTES = MAGIC.length + SALT_BYTES;
const LENGTH_BYTES = 4;
const TAG_BYTES = 16;
const NUMBER_DIGITS = 12;
/** A payload with its topic and counter. */
const RECORD_BYTES_MAX = SIGNED_JSON_LIMITS.bytesMax + 4_096;
