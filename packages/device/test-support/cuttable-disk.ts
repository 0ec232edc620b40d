/** A disk whose power a test cuts at a step. Nothing is fsynced: the test's process goes on. @module */
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { AgentDisk, ImageFile } from '../src/agent/agent-disk.ts';

/** The machine is without power. */
export class PowerCut extends Error {}

/** Where the power is cut, and what becomes of that step. */
export interface Cut {
  /** Counts from 0. */
  readonly at: number;
  /** `torn`: a file is half written in its place, as no good file system does it. */
  readonly how: 'before' | 'after' | 'torn';
}

/** Counts the steps, and dies at one of them. */
export class CuttableDisk implements AgentDisk {
  readonly #cut: Cut | undefined;
  #isDead = false;
  steps = 0;

  constructor(cut?: Cut) {
    this.#cut = cut;
  }

  write(path: string, content: string | Uint8Array): void {
    const bytes = Buffer.from(content);
    this.#step(
      () => {
        writeFileSync(`${path}.partial`, bytes);
        renameSync(`${path}.partial`, path);
      },
      () => writeFileSync(path, bytes.subarray(0, bytes.length / 2)),
    );
  }

  rename(from: string, to: string): void {
    this.#step(() => renameSync(from, to));
  }

  remove(path: string): void {
    this.#step(() => rmSync(path, { force: true }));
  }

  link(target: string, path: string): void {
    this.#step(() => {
      rmSync(`${path}.partial`, { force: true });
      symlinkSync(target, `${path}.partial`);
      renameSync(`${path}.partial`, path);
    });
  }

  async openImage(path: string): Promise<ImageFile> {
    this.#step(() => writeFileSync(path, ''));
    const file = await open(path, 'a');
    return {
      write: async (chunk) => {
        try {
          const half = chunk.subarray(0, chunk.length / 2);
          this.#step(
            () => {},
            () => writeFileSync(path, half, { flag: 'a' }),
          );
        } catch (cut) {
          await file.close();
          throw cut;
        }
        await file.writeFile(chunk);
      },
      finish: () => file.close(),
      abandon: async () => {
        await file.close().catch(() => {});
      },
    };
  }

  #step(task: () => void, tear: () => void = () => {}): void {
    if (this.#isDead) throw new PowerCut('the power is cut');
    const isLast = this.#cut?.at === this.steps;
    this.steps += 1;
    if (!isLast) {
      task();
      return;
    }
    this.#isDead = true;
    if (this.#cut?.how === 'after') task();
    if (this.#cut?.how === 'torn') tear();
    throw new PowerCut('the power is cut');
  }
}
