/** What this device should run, when both repositories agree, and the way to get it. @module */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Release } from '@holdfast/firmware';
import type { Clock } from '../clock.ts';
import { type FileSteps, fileSteps } from '../identity-files.ts';
import { agreedRelease } from './agreement.ts';
import { downloadArtifact } from './artifact-download.ts';
import { downloadByDelta } from './delta-download.ts';
import { DownloadJournal } from './download-journal.ts';
import type { DownloadOptions } from './download-options.ts';
import type { FetchPort } from './fetch-port.ts';
import { acceptDirector, acceptImage, targetsIn } from './metadata-scope.ts';
import { TufRepository } from './tuf-repository.ts';
import { requireClock } from './update-clock.ts';
import { updateError } from './update-error.ts';

export type { DownloadOptions, WritableFile } from './download-options.ts';

/** A release that the image repository and the director name alike, and that fits this device. */
export interface VerifiedUpdate {
  readonly release: Release;
}

/** What an updater works with. */
export interface FirmwareUpdaterOptions {
  /** Folder of its own, made with mode 0700 when missing. */
  readonly folder: string;
  /** The roots that the device was made with (`1.root.json`, or any later one). */
  readonly imageRoot: Uint8Array;
  readonly directorRoot: Uint8Array;
  readonly fetch: FetchPort;
  /** Own hardware id. */
  readonly hardware: string;
  readonly clock: Clock;
  readonly device: {
    /** As its certificate names it. */
    readonly id: string;
    /** Begin of the operational certificate, ms since 1970: it is surely later than that. */
    readonly certifiedFromMs: number;
  };
  /** The metadata on the disk were damaged, and what they were recovered from. */
  readonly onRecovered?: (recovered: {
    readonly repository: 'image' | 'director';
    readonly from: 'previous' | 'built-in';
  }) => void;
  /** What changes the folder. Default: the disk. */
  readonly steps?: FileSteps;
}

/** Where metadata are: only the path is used, the server is that of the bundle. */
const BASE_URL = 'https://server.invalid/update/v1';

/** Asks both repositories what to run, believes neither alone, and brings it. */
export class FirmwareUpdater {
  readonly #options: FirmwareUpdaterOptions;
  readonly #image: TufRepository;
  readonly #director: TufRepository;

  private constructor(options: FirmwareUpdaterOptions) {
    this.#options = options;
    const place = (name: 'image' | 'director') => ({
      ...options,
      name,
      baseUrl: `${BASE_URL}/${name}`,
      onRecovered: (from: 'previous' | 'built-in') => {
        options.onRecovered?.({ repository: name, from });
      },
    });
    const image = { root: options.imageRoot, accept: acceptImage };
    const director = { root: options.directorRoot, accept: acceptDirector(options.device.id) };
    this.#image = new TufRepository({ ...place('image'), ...image });
    this.#director = new TufRepository({ ...place('director'), ...director });
  }

  /** @throws DeviceError `E_DEVICE_UPDATE_STORE`, `…_FOREIGN` for roots that were mixed up */
  static async open(options: FirmwareUpdaterOptions): Promise<FirmwareUpdater> {
    acceptImage('root', options.imageRoot);
    acceptDirector(options.device.id)('root', options.directorRoot);
    try {
      await mkdir(options.folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw updateError('E_DEVICE_UPDATE_STORE', `${options.folder} cannot be made`, cause);
    }
    return new FirmwareUpdater(options);
  }

  /**
   * Asks both repositories. One call at a time.
   *
   * @param runningCounter - security counter of the confirmed image; a lower one is refused
   * @returns undefined when nothing is assigned. It may be what runs already: compare the hash.
   * @throws DeviceError with a code `E_DEVICE_UPDATE_…` for each attack, and what the connection
   *   fails of
   */
  async check(runningCounter: number): Promise<VerifiedUpdate | undefined> {
    const { clock, hardware, device } = this.#options;
    const nowMs = clock.nowMs();
    requireClock(nowMs, [device.certifiedFromMs]);
    const director = await this.#director.run(nowMs, async ({ updater, read }) => {
      await updater.refresh();
      // At most one: what names more was not accepted.
      return Object.values(targetsIn(Buffer.from(read('targets'))).targets)[0];
    });
    if (director === undefined) return undefined;
    const image = await this.#image.run(nowMs, async ({ updater }) => {
      await updater.refresh();
      return updater.getTargetInfo(director.path);
    });
    const own = { hardware, counter: runningCounter };
    return { release: agreedRelease({ director, image }, own) };
  }

  /**
   * Writes the image and makes it durable; resolves only when length and hash are right. After a
   * cut or a kill, the same call goes on where it stopped; when all is there, it only hashes it.
   *
   * @throws DeviceError `E_DEVICE_UPDATE_IMAGE`, `…_SLOW`, `…_TOO_LARGE`, `…_ANSWER`, `…_STORE`,
   *   and what the connection fails of; `signal.reason` when it was stopped
   */
  async download({ release }: VerifiedUpdate, options: DownloadOptions): Promise<void> {
    const { folder, steps = fileSteps } = this.#options;
    const journal = new DownloadJournal(join(folder, 'download.journal'), steps);
    if (journal.bytesOf(release.sha256) === 0) {
      const job = { ...options, release, folder, journal, steps };
      try {
        if (await downloadByDelta(this.#options, job)) return;
      } catch {
        // Whatever is wrong with a delta, the image can be had without it.
        options.signal?.throwIfAborted();
      }
    }
    const { sha256, length } = release;
    await downloadArtifact(this.#options, { ...options, sha256, length, journal });
  }
}
