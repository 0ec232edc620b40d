/**
 * The environment of U-Boot as a file: `uboot.env`, and where it is redundant a second copy.
 * CRC32 of the rest (little-endian), with two copies one byte that counts up, then
 * `name=value` strings that end with NUL, an empty one at the end, and filling.
 * @module
 */
import { crc32 } from 'node:zlib';

/** Variables by name. */
export type Environment = ReadonlyMap<string, string>;

/** One copy, read. */
export interface EnvironmentCopy {
  readonly variables: Environment;
  /** Counts up with each write, from 255 on to 0; 0 where there is only one copy. */
  readonly serial: number;
  /** Of the file. */
  readonly size: number;
}

/** Reads a copy; undefined when its CRC is wrong, or a string is cut. */
export function readEnvironment(
  bytes: Uint8Array,
  { isRedundant }: { readonly isRedundant: boolean },
): EnvironmentCopy | undefined {
  const header = headerBytes(isRedundant);
  if (bytes.length <= header + 1) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = buffer.subarray(header);
  if (crc32(data) !== buffer.readUInt32LE(0)) return undefined;
  const end = data.indexOf(END);
  const text = end < 0 ? undefined : data.subarray(0, end).toString('latin1');
  if (text === undefined) return undefined;
  const variables = new Map<string, string>();
  for (const line of text.split('\0').filter((part) => part !== '')) {
    const at = line.indexOf('=');
    if (at > 0) variables.set(line.slice(0, at), line.slice(at + 1));
  }
  return { variables, serial: isRedundant ? buffer.readUInt8(4) : 0, size: bytes.length };
}

/** Writes a copy; undefined when the variables do not fit. */
export function formatEnvironment(
  { variables, serial, size }: EnvironmentCopy,
  { isRedundant }: { readonly isRedundant: boolean },
): Uint8Array | undefined {
  const lines = [...variables].map(([name, value]) => `${name}=${value}\0`).toSorted();
  const data = Buffer.from(`${lines.join('')}\0`, 'latin1');
  const header = headerBytes(isRedundant);
  if (header + data.length > size) return undefined;
  const bytes = Buffer.alloc(size);
  data.copy(bytes, header);
  if (isRedundant) bytes.writeUInt8(serial, 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(header)), 0);
  return bytes;
}

/** The copy that U-Boot and fw_printenv take: 0 is newer than 255. */
export function newerOf(first: EnvironmentCopy, second: EnvironmentCopy): EnvironmentCopy {
  if (first.serial === 255 && second.serial === 0) return second;
  if (second.serial === 255 && first.serial === 0) return first;
  return second.serial > first.serial ? second : first;
}

function headerBytes(isRedundant: boolean): number {
  return isRedundant ? 5 : 4;
}

const END = Buffer.from([0, 0]);
