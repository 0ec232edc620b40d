/**
 * One TUF repository as this device trusts it: tuf-js, with what it lacks. Its writes are not
 * atomic, so it works in a folder of its own, and what it verified is then kept at once; its time is
 * the machine's, so it is given ours; its errors lose what they were, so that is put together again.
 * @module
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import { type FileSteps, fileSteps } from '../identity-files.ts';
import type { GetDeps } from './bounded-get.ts';
import { UPDATE_TIMESTAMP_LIFE_MS } from './limits.ts';
import { MetadataStore, type TrustedMetadata } from './metadata-store.ts';
import { explainTuf } from './tuf-error.ts';
import { type AcceptMetadata, TufFetcher } from './tuf-fetcher.ts';
import { blameClock, requireClock } from './update-clock.ts';
import { updateError } from './update-error.ts';

/** Where a repository is, here and at the server. */
export interface TufPlace extends GetDeps {
  /** Of its files; `image` or `director`. */
  readonly name: string;
  readonly folder: string;
  /** The root that the device was made with. */
  readonly root: Uint8Array;
  /** URL of the metadata; only its path is used. */
  readonly baseUrl: string;
  readonly accept: AcceptMetadata;
  /** The metadata on the disk were damaged, and what is used instead. */
  readonly onRecovered: (from: 'previous' | 'built-in') => void;
  readonly steps?: FileSteps | undefined;
}

/** One update of the metadata. */
export interface TufSession {
  readonly updater: Updater;
  /** The text of a metadata file that was verified in this session. */
  readonly read: (role: string) => string;
}

/** What is trusted of a repository, and how that grows. */
export class TufRepository {
  readonly #place: TufPlace;
  readonly #store: MetadataStore;
  readonly #work: string;

  constructor(place: TufPlace) {
    this.#place = place;
    this.#store = new MetadataStore({ ...place, steps: place.steps ?? fileSteps });
    this.#work = join(place.folder, `${place.name}.work`);
  }

  /**
   * Lets `work` update the metadata as of `nowMs`. Whatever was verified is kept, even when `work`
   * fails later on: a root, for one, counts as soon as it is known.
   *
   * @throws DeviceError `E_DEVICE_UPDATE_…`, also when the clock is behind what was seen before
   */
  async run<T>(nowMs: number, work: (session: TufSession) => Promise<T>): Promise<T> {
    const kept = this.#store.load();
    if (kept.from !== 'current' && this.#store.isUsed) this.#place.onRecovered(kept.from);
    const { name, fetch, clock, accept } = this.#place;
    const fetcher = new TufFetcher({ fetch, clock }, accept);
    try {
      this.#lay(kept.files);
      const updater = this.#open(fetcher, nowMs);
      let signedMs = 0;
      try {
        const result = await work({ updater, read: (role) => this.#read(role) });
        requireClock(nowMs, [this.#seenMs(kept)]);
        signedMs = Math.min(nowMs, this.#signedMs());
        return result;
      } finally {
        this.#keep(kept, Math.max(this.#seenMs(kept), signedMs));
      }
    } catch (error) {
      const explained = explainTuf(error, { repository: name, fetcher });
      throw blameClock(explained, { nowMs, serverMs: fetcher.serverMs });
    } finally {
      rmSync(this.#work, { recursive: true, force: true });
    }
  }

  #lay(files: ReadonlyMap<string, string>): void {
    try {
      rmSync(this.#work, { recursive: true, force: true });
      mkdirSync(this.#work, { recursive: true, mode: 0o700 });
      for (const [name, text] of files) writeFileSync(join(this.#work, name), text);
    } catch (cause) {
      throw updateError('E_DEVICE_UPDATE_STORE', `${this.#work} cannot be written`, cause);
    }
  }

  #open(fetcher: TufFetcher, nowMs: number): Updater {
    const metadataBaseUrl = this.#place.baseUrl;
    const updater = new Updater({ metadataDir: this.#work, metadataBaseUrl, fetcher });
    setReferenceTime(updater, new Date(nowMs));
    return updater;
  }

  #read(role: string): string {
    return readFileSync(join(this.#work, `${role}.json`), 'utf8');
  }

  /**
   * A time that has surely passed, in milliseconds since 1970, as long as the keys count by which it
   * was believed: a thief of theirs, who also sets the clock, can have it lie a year ahead.
   */
  #seenMs({ files, seenMs }: TrustedMetadata): number {
    const before = timestampKeys(files.get('root.json') ?? '');
    return before === timestampKeys(this.#read('root')) ? seenMs : 0;
  }

  /** When the timestamp was signed at the latest, as far as its end tells. */
  #signedMs(): number {
    const { signed } = JSON.parse(this.#read('timestamp'));
    return Date.parse(signed.expires) - UPDATE_TIMESTAMP_LIFE_MS;
  }

  #keep(kept: TrustedMetadata, seenMs: number): void {
    const names = readdirSync(this.#work).filter((name) => name.endsWith('.json'));
    const files = new Map(names.map((n) => [n, readFileSync(join(this.#work, n), 'utf8')]));
    const isSame = (name: string): boolean => kept.files.get(name) === files.get(name);
    if (names.every(isSame) && names.length === kept.files.size && seenMs === kept.seenMs) return;
    this.#store.save({ files, seenMs });
  }
}

function timestampKeys(root: string): string {
  const { signed } = JSON.parse(root);
  return JSON.stringify(signed.roles.timestamp.keyids);
}

/**
 * tuf-js takes the machine's time when it is made, and has no option for another one. Should its
 * inside change, this throws: an update that does not happen, not one of an unknown time.
 */
function setReferenceTime(updater: Updater, time: Date): void {
  const trustedSet: unknown = Reflect.get(updater, 'trustedSet');
  const isKnown =
    typeof trustedSet === 'object' &&
    trustedSet !== null &&
    'referenceTime' in trustedSet &&
    trustedSet.referenceTime instanceof Date;
  if (!isKnown) throw new TypeError('this is another tuf-js than the one that is pinned');
  trustedSet.referenceTime = time;
}
