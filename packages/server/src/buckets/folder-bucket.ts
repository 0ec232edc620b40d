/** A bucket in a folder of this machine, or of one that is mounted here. @module */
import { type Dirent, constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { Fault, errorCode } from '../kernel/index.ts';
import {
  type Bucket,
  type ObjectInfo,
  isObjectKey,
  requireObjectKey,
  sizeFault,
} from './bucket.ts';
import { OBJECT_BYTES_MAX } from './limits.ts';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** No key holds a tilde, so an unfinished file is never taken for an object. */
const PARTIAL_SUFFIX = '~partial';

/**
 * Opens a bucket in a folder, which is made when there is none.
 * @param path - Absolute.
 * @throws Fault `E_BUCKETS_FOLDER` when the path is relative.
 */
export function folderBucket(path: string): Bucket {
  if (!isAbsolute(path)) {
    throw new Fault({
      code: 'E_BUCKETS_FOLDER',
      what: `The folder ${path} is not named from the root of the file system.`,
      fix: 'Name it in full: folder:/path',
    });
  }
  return new FolderBucket(path);
}

class FolderBucket implements Bucket {
  readonly name: string;
  readonly #root: string;

  constructor(path: string) {
    this.name = `folder:${path}`;
    this.#root = path;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.#pathOf(key);
    await this.#attempt(async () => {
      const folder = dirname(path);
      await makeFolder(folder);
      await writeWhole(path, bytes);
      await syncFolder(folder);
    });
  }

  async get(key: string): Promise<Buffer | undefined> {
    return this.#read(key, (file) => file.readFile());
  }

  async getRange(key: string, start: number, end: number): Promise<Buffer | undefined> {
    return this.#read(key, async (file) => {
      const bytes = Buffer.alloc(end - start);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      return bytes.subarray(0, bytesRead);
    });
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    for await (const key of this.#keysIn('', prefix)) {
      const found = await this.head(key);
      if (found !== undefined) yield { key, size: found.size };
    }
  }

  async remove(key: string): Promise<void> {
    const path = this.#pathOf(key);
    await this.#attempt(async () => {
      await rm(path, { force: true });
      // What a crash has cut would stay for ever: it is no object, and listed nowhere.
      await rm(`${path}${PARTIAL_SUFFIX}`, { force: true });
      await unlessMissing(syncFolder(dirname(path)));
    });
  }

  async head(key: string): Promise<{ readonly size: number } | undefined> {
    const path = this.#pathOf(key);
    const found = await this.#attempt(() => unlessMissing(lstat(path)));
    return found?.isFile() === true ? { size: found.size } : undefined;
  }

  /** Whoever else can write here puts a pipe or an endless device in the place of an object. */
  #read(key: string, read: (file: FileHandle) => Promise<Buffer>): Promise<Buffer | undefined> {
    const path = this.#pathOf(key);
    return this.#attempt(async () => {
      const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
      const file = await unlessMissing(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
      if (file === undefined) return undefined;
      try {
        const stat = await file.stat();
        if (!stat.isFile() || stat.size > OBJECT_BYTES_MAX) throw sizeFault(this.name, key);
        return await read(file);
      } finally {
        await file.close();
      }
    });
  }

  #pathOf(key: string): string {
    requireObjectKey(key);
    return join(this.#root, key);
  }

  async *#keysIn(folder: string, prefix: string): AsyncGenerator<string> {
    const read = readdir(join(this.#root, folder), { withFileTypes: true });
    const entries: Dirent[] = (await this.#attempt(() => unlessMissing(read))) ?? [];
    for (const entry of entries) {
      const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (!isObjectKey(key)) continue;
      const mayHold = `${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`);
      if (entry.isDirectory() && mayHold) yield* this.#keysIn(key, prefix);
      else if (entry.isFile() && key.startsWith(prefix)) yield key;
    }
  }

  async #attempt<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      throw new Fault({
        code: 'E_BUCKETS_FOLDER',
        what: `${this.name} cannot be used: ${String(cause)}.`,
        fix: 'Check that the disk is there, that the folder is yours, and that it has space left.',
        cause,
      });
    }
  }
}

/** Makes a folder and those above it, each of them durable. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made));
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const partial = `${path}${PARTIAL_SUFFIX}`;
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const file = await open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, FILE_MODE);
  try {
    await file.chmod(FILE_MODE);
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}

/** A renamed file is durable once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle: FileHandle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function unlessMissing<T>(task: Promise<T>): Promise<T | undefined> {
  try {
    return await task;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
