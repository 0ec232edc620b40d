/** All that the agent changes on a disk, so that tests can cut the power at each step. @module */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../device-error.ts';
import { syncFolder, writePrivateFile } from '../private-file.ts';

/** An image that is being written. */
export interface ImageFile {
  write(chunk: Uint8Array): Promise<void>;
  /** Makes it durable and closes it. */
  finish(): Promise<void>;
  /** Closes it as it is. */
  abandon(): Promise<void>;
}

/** Each step is durable when it returns, and a crash leaves it done or not begun. */
export interface AgentDisk {
  /** Replaces the file whole. */
  write(path: string, content: string | Uint8Array): void;
  rename(from: string, to: string): void;
  /** Nothing happens where nothing is. */
  remove(path: string): void;
  /** Makes a symbolic link at `path`, or points the one there elsewhere. */
  link(target: string, path: string): void;
  /** Empties and opens a file; a block device is overwritten in place. Not one step, but many. */
  openImage(path: string): Promise<ImageFile>;
}

/** The real disk. */
export const agentDisk: AgentDisk = {
  write: writePrivateFile,
  rename(from, to) {
    renameSync(from, to);
    syncFolder(dirname(to));
  },
  remove(path) {
    rmSync(path, { force: true });
    syncFolder(dirname(path));
  },
  link(target, path) {
    const partial = `${path}.partial`;
    rmSync(partial, { force: true });
    symlinkSync(target, partial);
    renameSync(partial, path);
    syncFolder(dirname(path));
  },
  async openImage(path) {
    const isDevice = isBlockDevice(path);
    const file = await open(path, isDevice ? 'r+' : 'w', IMAGE_MODE);
    return {
      write: async (chunk) => {
        await file.writeFile(chunk);
      },
      finish: async () => {
        try {
          await file.sync();
        } finally {
          await file.close();
        }
        if (!isDevice) syncFolder(dirname(path));
      },
      abandon: () => file.close(),
    };
  },
};

/** Writes a stream into the place of an image, durably. */
export async function writeImage(
  disk: AgentDisk,
  { path, image }: { readonly path: string; readonly image: AsyncIterable<Uint8Array> },
): Promise<void> {
  const file = await disk.openImage(path);
  try {
    for await (const chunk of image) await file.write(chunk);
  } catch (cause) {
    await file.abandon();
    throw cause;
  }
  await file.finish();
}

/**
 * SHA-256 of an image in hexadecimal. A block device is read as far as the image is long; a file
 * whole, so that nothing can stand behind the image.
 */
export async function hashImage(path: string, length: number): Promise<string> {
  const hash = createHash('sha256');
  const end = isBlockDevice(path) ? length - 1 : undefined;
  for await (const chunk of createReadStream(path, end === undefined ? {} : { end })) {
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/**
 * The content of a file, or undefined when there is none, or more than `bytesMax` of it: some of
 * these files are on partitions that others write as well.
 */
export function readIfThere(path: string, bytesMax = Infinity): Buffer | undefined {
  try {
    return statSync(path).size > bytesMax ? undefined : readFileSync(path);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

function isBlockDevice(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isBlockDevice() ?? false;
}

/** A program in the slot of a gateway is started by it. */
const IMAGE_MODE = 0o755;
