/** What a download had made durable before it was cut or killed. @module */
import { readFileSync } from 'node:fs';
import type { FileSteps } from '../identity-files.ts';
import { updateError } from './update-error.ts';

/** Remembers how far one file has come. */
export class DownloadJournal {
  readonly #path: string;
  readonly #steps: FileSteps;

  constructor(path: string, steps: FileSteps) {
    this.#path = path;
    this.#steps = steps;
  }

  /** Bytes of this file that were durable at the last checkpoint. A damaged journal knows of none. */
  bytesOf(sha256: string): number {
    const [, hash, bytes] = FORM.exec(this.#read()) ?? [];
    return hash === sha256 ? Number(bytes) : 0;
  }

  /** @throws DeviceError `E_DEVICE_UPDATE_STORE` */
  write(sha256: string, bytes: number): void {
    try {
      this.#steps.write(this.#path, `${sha256} ${bytes}\n`);
    } catch (cause) {
      throw updateError('E_DEVICE_UPDATE_STORE', `${this.#path} cannot be written`, cause);
    }
  }

  #read(): string {
    try {
      return readFileSync(this.#path, 'utf8');
    } catch {
      return '';
    }
  }
}

const FORM = /^([0-9a-f]{64}) (\d{1,15})\n$/u;
