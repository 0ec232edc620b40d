/** Brings one file from the server, by its hash: resumed after cuts and kills, never trusted. @module */
import { type Hash, createHash } from 'node:crypto';
import { DeviceError } from '../device-error.ts';
import { type BoundedAnswer, type GetDeps, boundedGet } from './bounded-get.ts';
import type { DownloadJournal } from './download-journal.ts';
import type { DownloadOptions, WritableFile } from './download-options.ts';
import { UPDATE_CHECKPOINT_BYTES, UPDATE_CUTS_MAX, UPDATE_READ_BYTES } from './limits.ts';
import { answerError, drain } from './tuf-fetcher.ts';
import { updateError } from './update-error.ts';

/** Which file, and where it goes. */
export interface ArtifactJob extends Pick<DownloadOptions, 'onProgress' | 'signal'> {
  /** In hexadecimal. */
  readonly sha256: string;
  readonly length: number;
  readonly to: WritableFile;
  readonly journal: DownloadJournal;
}

/**
 * Resolves when the file is whole, right and durable.
 * @throws DeviceError `E_DEVICE_UPDATE_IMAGE` when it has another hash, `…_SLOW`, `…_TOO_LARGE`,
 *   `…_ANSWER`, `…_STORE`, and what the connection fails of; what came is kept for the next call
 */
export async function downloadArtifact(deps: GetDeps, job: ArtifactJob): Promise<void> {
  const isWhole = await new ArtifactDownload(deps, job).run();
  // What was there before, and not what came now, may be wrong: a disk that lost power, another
  // program. So once from the beginning.
  if (isWhole || (await new ArtifactDownload(deps, job).run())) return;
  const what = `What came is not the file with the hash ${job.sha256}`;
  throw updateError('E_DEVICE_UPDATE_IMAGE', what);
}

/** One pass over the file. */
class ArtifactDownload {
  readonly #deps: GetDeps;
  readonly #job: ArtifactJob;
  #hash: Hash = createHash('sha256');
  /** Bytes that are written and hashed. */
  #position = 0;
  /** Bytes that the journal knows of. */
  #checkpoint = 0;

  constructor(deps: GetDeps, job: ArtifactJob) {
    this.#deps = deps;
    this.#job = job;
  }

  /** @returns false when what was kept of an earlier time, or all of it, was wrong; it is gone */
  async run(): Promise<boolean> {
    const { sha256, length } = this.#job;
    await this.#takeUp();
    const keptBytes = this.#position;
    try {
      await this.#fetchRest();
    } finally {
      await this.#keep();
    }
    if (this.#hash.digest('hex') === sha256) return true;
    await this.#restart();
    if (keptBytes > 0) return false;
    const what = `The ${length} bytes that came do not have the hash ${sha256}`;
    throw updateError('E_DEVICE_UPDATE_IMAGE', what);
  }

  async #takeUp(): Promise<void> {
    const { to, journal, sha256, length } = this.#job;
    const durable = await disk(async () => Math.min(journal.bytesOf(sha256), await to.size()));
    if (durable === 0 || durable > length) return this.#restart();
    // Beyond the checkpoint there may be anything, when the power was cut.
    await disk(() => to.truncate(durable));
    while (this.#position < durable) {
      const bytes = await disk(() =>
        to.read(this.#position, Math.min(UPDATE_READ_BYTES, durable - this.#position)),
      );
      if (bytes.length === 0) return this.#restart();
      this.#hash.update(bytes);
      this.#position += bytes.length;
    }
    this.#checkpoint = durable;
  }

  async #restart(): Promise<void> {
    this.#hash = createHash('sha256');
    this.#position = 0;
    this.#checkpoint = 0;
    this.#job.journal.write(this.#job.sha256, 0);
    await disk(() => this.#job.to.truncate(0));
  }

  async #fetchRest(): Promise<void> {
    const { length } = this.#job;
    for (let cuts = 0; this.#position < length; cuts += 1) {
      const before = this.#position;
      try {
        await this.#fetchFrom(before);
      } catch (error) {
        if (!isCut(error) || this.#position === before || cuts >= UPDATE_CUTS_MAX) throw error;
      }
    }
  }

  async #fetchFrom(from: number): Promise<void> {
    const { sha256, length, signal } = this.#job;
    const path = `${ARTIFACT_PATH}${sha256}`;
    const range = from === 0 ? {} : { from, ifRange: `"${sha256}"` };
    const answer = await boundedGet(this.#deps, { path, ...range, signal }, length - from);
    try {
      if (
        answer.status === 206 &&
        answer.contentRange === `bytes ${from}-${length - 1}/${length}`
      ) {
        return await this.#take(answer.body);
      }
      if (answer.status === 200 && from === 0) return await this.#take(answer.body);
      if (answer.status === 200) return await this.#restart();
      await drain(answer);
      throw answerError(path, answer.status);
    } finally {
      answer.close();
    }
  }

  async #take(body: BoundedAnswer['body']): Promise<void> {
    const { to, length, onProgress } = this.#job;
    for await (const chunk of body) {
      await disk(() => to.write(this.#position, chunk));
      this.#hash.update(chunk);
      this.#position += chunk.length;
      if (this.#position - this.#checkpoint >= UPDATE_CHECKPOINT_BYTES) await this.#keep();
      onProgress?.({ bytes: this.#position, length });
    }
    if (this.#position === length) return;
    throw new DeviceError('E_DEVICE_CONNECTION', {
      message: `The answer ended after ${this.#position} of ${length} bytes.`,
      fix: 'Nothing: it is taken up again by itself.',
    });
  }

  /** Durable first, and then known to be. */
  async #keep(): Promise<void> {
    if (this.#position === this.#checkpoint) return;
    await disk(() => this.#job.to.sync());
    this.#job.journal.write(this.#job.sha256, this.#position);
    this.#checkpoint = this.#position;
  }
}

/** A connection that broke while something came may be taken up again at once. */
function isCut(error: unknown): boolean {
  return error instanceof DeviceError && CUTS.has(error.code);
}

async function disk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof DeviceError) throw cause;
    throw updateError('E_DEVICE_UPDATE_STORE', 'The image cannot be written or read', cause);
  }
}

const CUTS: ReadonlySet<string> = new Set(['E_DEVICE_CONNECTION', 'E_DEVICE_UNREACHABLE']);
const ARTIFACT_PATH = '/update/v1/artifact/';
