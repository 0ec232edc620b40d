/** Updates by the {@link FirmwareUpdater}, downloaded into a file. @module */
import type { Clock } from '../clock.ts';
import type { FetchPort } from '../update/fetch-port.ts';
import { FirmwareUpdater, type VerifiedUpdate } from '../update/updater.ts';
import { openWritableFile } from '../update/writable-file.ts';
import type { SourceDownload, UpdateSource } from './update-source.ts';

/** What the updater is opened with. */
export interface FirmwareSourceOptions {
  readonly folder: string;
  readonly imageRoot: Uint8Array;
  readonly directorRoot: Uint8Array;
  readonly fetch: FetchPort;
  readonly hardware: string;
  readonly clock: Clock;
  readonly device: { readonly id: string; readonly certifiedFromMs: number };
  readonly onProgress: (progress: { readonly bytes: number; readonly length: number }) => void;
}

/** Opened at the first use: a device starts its trial also when a root is damaged. */
export class FirmwareSource implements UpdateSource {
  readonly #options: FirmwareSourceOptions;
  #updater: Promise<FirmwareUpdater> | undefined;

  constructor(options: FirmwareSourceOptions) {
    this.#options = options;
  }

  async check(runningCounter: number): Promise<VerifiedUpdate | undefined> {
    return await (await this.#open()).check(runningCounter);
  }

  async download(update: VerifiedUpdate, { path, from }: SourceDownload): Promise<void> {
    const updater = await this.#open();
    await using to = await openWritableFile(path);
    await updater.download(update, { to, from, onProgress: this.#options.onProgress });
  }

  async #open(): Promise<FirmwareUpdater> {
    this.#updater ??= FirmwareUpdater.open(this.#options);
    try {
      return await this.#updater;
    } catch (cause) {
      this.#updater = undefined;
      throw cause;
    }
  }
}
