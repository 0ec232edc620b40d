/** Reads the files of a zip, one after the other. @see PKWARE APPNOTE 6.3.10 @module */
import { inflateRawSync } from 'node:zlib';
import { type Refusal, refuse } from '@holdfast/protocol';
import { OSV_RECORD_BYTES_MAX, ZIP_ENTRIES_MAX } from './limits.ts';

/** A file in a zip. */
export interface ZipFile {
  readonly name: string;
  /** Its content; a refusal when it is damaged, too large, or packed in another way. */
  readonly content: () => Uint8Array | Refusal;
}

/** The files of a zip: stored or deflated, not encrypted, of one part, below 4 GiB. */
export function readZip(bytes: Uint8Array): ZipFile[] | Refusal {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = findEnd(zip);
  if (end === undefined) return wrong('it has no directory');
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  const files: ZipFile[] = [];
  // Some writers count modulo 2^16: the directory itself says where it ends.
  while (at + DIRECTORY_BYTES <= end && zip.readUInt32LE(at) === DIRECTORY_MAGIC) {
    if (files.length === ZIP_ENTRIES_MAX) return wrong(`it has over ${ZIP_ENTRIES_MAX} files`);
    const nameEnd = at + DIRECTORY_BYTES + zip.readUInt16LE(at + 28);
    if (nameEnd > end) return wrong('its directory is malformed');
    const entry = {
      flags: zip.readUInt16LE(at + 8),
      method: zip.readUInt16LE(at + 10),
      packed: zip.readUInt32LE(at + 20),
      length: zip.readUInt32LE(at + 24),
      start: zip.readUInt32LE(at + 42),
    };
    const name = zip.toString('utf8', at + DIRECTORY_BYTES, nameEnd);
    files.push({ name, content: () => unpack(zip, entry) });
    at = nameEnd + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return files.length % 65_536 === count ? files : wrong('its directory is malformed');
}

/** The end of the directory: the last of its marks, before a comment of at most 64 KiB. */
function findEnd(zip: Buffer): number | undefined {
  const least = Math.max(0, zip.length - END_BYTES - 65_535);
  for (let at = zip.length - END_BYTES; at >= least; at -= 1) {
    if (zip.readUInt32LE(at) === END_MAGIC) return at;
  }
  return undefined;
}

interface Entry {
  readonly flags: number;
  readonly method: number;
  readonly packed: number;
  readonly length: number;
  readonly start: number;
}

function unpack(
  zip: Buffer,
  { flags, method, packed, length, start }: Entry,
): Uint8Array | Refusal {
  const isThere = start + LOCAL_BYTES <= zip.length && zip.readUInt32LE(start) === LOCAL_MAGIC;
  if (!isThere || (flags & ENCRYPTED) !== 0) return wrong('a file in it cannot be read');
  if (length > OSV_RECORD_BYTES_MAX) return wrong('a file in it is too large');
  const from = start + LOCAL_BYTES + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
  const content = zip.subarray(from, from + packed);
  if (content.length !== packed) return wrong('a file in it is cut off');
  if (method === STORED) return packed === length ? content : wrong('a file in it is malformed');
  if (method !== DEFLATED) return wrong('a file in it is packed in an unknown way');
  try {
    const unpacked = inflateRawSync(content, { maxOutputLength: Math.max(length, 1) });
    return unpacked.length === length ? unpacked : wrong('a file in it is malformed');
  } catch {
    return wrong('a file in it is damaged');
  }
}

function wrong(problem: string): Refusal {
  return refuse('E_UPDATE_ADVISORIES', `This is no zip that can be read: ${problem}.`);
}

const END_MAGIC = 0x06054b50;
const END_BYTES = 22;
const DIRECTORY_MAGIC = 0x02014b50;
const DIRECTORY_BYTES = 46;
const LOCAL_MAGIC = 0x04034b50;
const LOCAL_BYTES = 30;
const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;
