/**
 * The trusted metadata of one repository on the disk: one file, written whole or not at all, and
 * the one before it. Whatever is damaged, the device goes on: with the one before, or with the root
 * that it was made with.
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FileSteps } from '../identity-files.ts';
import { UPDATE_KEPT_BYTES_MAX } from './limits.ts';
import { updateError } from './update-error.ts';

/** What is trusted of a repository. */
export interface TrustedMetadata {
  /** File names as tuf-js gives them (`root.json`), and their text. */
  readonly files: ReadonlyMap<string, string>;
  /** A time that has surely passed, in milliseconds since 1970; 0 when nothing was seen yet. */
  readonly seenMs: number;
}

/** What was read, and from where. */
export interface LoadedMetadata extends TrustedMetadata {
  readonly from: 'current' | 'previous' | 'built-in';
}

/** Keeps the trusted metadata of one repository. */
export class MetadataStore {
  readonly #current: string;
  readonly #previous: string;
  readonly #root: string;
  readonly #steps: FileSteps;

  /** @param place.root - `root.json` to begin with, and to begin again with */
  constructor(place: { folder: string; name: string; root: Uint8Array; steps: FileSteps }) {
    this.#current = join(place.folder, `${place.name}.trusted`);
    this.#previous = join(place.folder, `${place.name}.trusted.previous`);
    this.#root = Buffer.from(place.root).toString('utf8');
    this.#steps = place.steps;
  }

  /** Reads what is whole. */
  load(): LoadedMetadata {
    const current = read(this.#current);
    if (current !== undefined) return { ...current, from: 'current' };
    const previous = read(this.#previous);
    if (previous !== undefined) return { ...previous, from: 'previous' };
    return { files: new Map([['root.json', this.#root]]), seenMs: 0, from: 'built-in' };
  }

  /** Whether there is anything of an earlier time, be it damaged. */
  get isUsed(): boolean {
    return existsSync(this.#current) || existsSync(this.#previous);
  }

  /**
   * Makes it durable. A kill at any moment leaves this or what was there before.
   * @throws DeviceError `E_DEVICE_UPDATE_STORE`; then the old one is there
   */
  save(trusted: TrustedMetadata): void {
    try {
      // What is damaged must not push out the last good one.
      if (read(this.#current) !== undefined) this.#steps.rename(this.#current, this.#previous);
      this.#steps.write(this.#current, format(trusted));
    } catch (cause) {
      throw updateError('E_DEVICE_UPDATE_STORE', `${this.#current} cannot be written`, cause);
    }
  }
}

/** The checksum comes first: a file that is cut anywhere, or has a flipped bit, is not whole. */
function format({ files, seenMs }: TrustedMetadata): string {
  const body = JSON.stringify({ files: Object.fromEntries(files), seenMs });
  return `${checksum(body)}\n${body}`;
}

function read(path: string): TrustedMetadata | undefined {
  const text = readText(path);
  const body = text.slice(CHECKSUM_LENGTH + 1);
  if (text.slice(0, CHECKSUM_LENGTH + 1) !== `${checksum(body)}\n`) return undefined;
  const value: unknown = JSON.parse(body);
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('files' in value) || !('seenMs' in value)) return undefined;
  const { files, seenMs } = value;
  if (typeof files !== 'object' || files === null || typeof seenMs !== 'number') return undefined;
  const entries = Object.entries(files).map(([name, file]): [string, string] => [name, `${file}`]);
  return { files: new Map(entries), seenMs };
}

function readText(path: string): string {
  try {
    return statSync(path).size > UPDATE_KEPT_BYTES_MAX ? '' : readFileSync(path, 'utf8');
  } catch {
    // Missing, or unreadable: the next best is taken, and the loss reported.
    return '';
  }
}

function checksum(body: string): string {
  return createHash('sha256').update(body, 'utf8').digest('hex');
}

const CHECKSUM_LENGTH = 64;
