/** The disk that boot loader and agent share: a FAT file system, and the state in it. @module */
import { spawnSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** Makes a disk with these files. */
export function makeDisk(folder: string, files: Readonly<Record<string, Uint8Array>>): string {
  const disk = join(folder, 'disk.img');
  writeFileSync(disk, '');
  truncateSync(disk, DISK_BYTES);
  tool('mformat', ['-i', disk, '::']);
  for (const [name, bytes] of Object.entries(files)) putFile(disk, name, bytes);
  return disk;
}

/** Writes a file on the disk, as the agent does from the running system. */
export function putFile(disk: string, name: string, bytes: Uint8Array): void {
  const from = `${disk}.${name}`;
  writeFileSync(from, bytes);
  tool('mcopy', ['-o', '-i', disk, from, `::${name}`]);
}

/** Reads a file of the disk. */
export function takeFile(disk: string, name: string): Buffer {
  const to = `${disk}.taken`;
  tool('mcopy', ['-n', '-o', '-i', disk, `::${name}`, to]);
  return readFileSync(to);
}

/** An environment of U-Boot: a CRC-32, then `name=value` with a NUL each. */
export function environment(
  variables: Readonly<Record<string, string>>,
  length = ENVIRONMENT_BYTES,
): Buffer {
  const bytes = Buffer.alloc(length);
  const text = Object.entries(variables).map(([name, value]) => `${name}=${value}\0`);
  bytes.write(text.join(''), 4, 'latin1');
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

/** The variables of an environment; undefined when its CRC is wrong. */
export function variablesOf(bytes: Buffer): Record<string, string> | undefined {
  if (bytes.readUInt32LE(0) !== crc32(bytes.subarray(4))) return undefined;
  const text = bytes.subarray(4).toString('latin1').split('\0\0')[0] ?? '';
  const pairs = text.split('\0').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [name, value.join('=')];
    }),
  );
}

function tool(program: string, args: readonly string[]): void {
  const done = spawnSync(program, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${program} failed: ${done.stderr}`);
}

const DISK_BYTES = 8 * 1_024 * 1_024;
const ENVIRONMENT_BYTES = 4_096;
