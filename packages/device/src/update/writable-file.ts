/** A file or partition as an updater writes it. @module */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { WritableFile } from './download-options.ts';

/** Opens a file, made with mode 0600 when missing. Whoever opens it closes it. */
export async function openWritableFile(path: string): Promise<OpenedFile> {
  return new OpenedFile(await open(path, constants.O_RDWR | constants.O_CREAT, 0o600));
}

/** A {@link WritableFile} on the disk. */
class OpenedFile implements WritableFile, AsyncDisposable {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const { buffer, bytesRead } = await this.#handle.read(
      Buffer.alloc(length),
      0,
      length,
      position,
    );
    return buffer.subarray(0, bytesRead);
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const rest = bytes.subarray(done);
      done += (await this.#handle.write(rest, 0, rest.length, position + done)).bytesWritten;
    }
  }

  async truncate(length: number): Promise<void> {
    await this.#handle.truncate(length);
  }

  async sync(): Promise<void> {
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
