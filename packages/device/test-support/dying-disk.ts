/** The disk of a process that is killed at one of its steps, and what it had opened. @module */
import { type FileSteps, fileSteps } from '../src/identity-files.ts';
import type { WritableFile } from '../src/update/download-options.ts';

/** Counts what changes the disk, and fails for ever from step `dieAt` on. */
export class DyingDisk {
  steps = 0;
  readonly #dieAt: number;

  constructor(dieAt = Infinity) {
    this.#dieAt = dieAt;
  }

  readonly files: FileSteps = {
    write: (path, text) => this.#step(() => fileSteps.write(path, text)),
    rename: (from, to) => this.#step(() => fileSteps.rename(from, to)),
    remove: (path) => this.#step(() => fileSteps.remove(path)),
  };

  /** A file of this disk. Half of a write that dies is written. */
  file(inner: WritableFile): WritableFile {
    return {
      size: () => inner.size(),
      read: (position, length) => inner.read(position, length),
      write: async (position, bytes) => {
        if (this.steps + 1 === this.#dieAt) {
          await inner.write(position, bytes.subarray(0, bytes.length / 2));
        }
        await this.#step(() => inner.write(position, bytes));
      },
      truncate: (length) => this.#step(() => inner.truncate(length)),
      sync: () => this.#step(() => inner.sync()),
    };
  }

  #step<T>(work: () => T): T {
    this.steps += 1;
    if (this.steps >= this.#dieAt) throw new Error('killed');
    return work();
  }
}
