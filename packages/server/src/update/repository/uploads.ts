/** Uploads of artifacts: in parts, each one a request of its own, so that a bad line goes on. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import type { RecordAct } from '../../audit/index.ts';
import type { CancelTimer, Clock } from '../../kernel/index.ts';
import type { ArtifactRecord } from './artifact-records.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { ArtifactWriter } from './artifact-writer.ts';
import { UPLOADS_MAX, UPLOAD_IDLE_MS } from './limits.ts';

/** What uploads need. */
export interface UploadsDeps {
  readonly clock: Clock;
  readonly artifacts: Pick<ArtifactStore, 'begin' | 'keep' | 'drop' | 'abandon'>;
  readonly recordAct: RecordAct;
  /** Why nothing new may be put where artifacts are kept. */
  readonly refusalOf: () => Promise<Refusal | undefined>;
}

interface Upload {
  readonly writer: ArtifactWriter;
  readonly by: string;
  isBusy: boolean;
  cancelIdle: CancelTimer;
}

/** A part of an artifact. */
export interface UploadPart {
  readonly id: string;
  /** Where it begins, in bytes. */
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly by: string;
}

/** The uploads under way. They do not outlive the server. */
export class Uploads {
  readonly #deps: UploadsDeps;
  readonly #uploads = new Map<string, Upload>();

  constructor(deps: UploadsDeps) {
    this.#deps = deps;
  }

  /** Begins one. @returns its id. */
  async begin(length: number, by: string): Promise<string | Refusal> {
    const refusal = await this.#deps.refusalOf();
    if (refusal !== undefined) return refusal;
    if (this.#uploads.size >= UPLOADS_MAX) {
      return refuse('E_OPERATE_RATE', `${UPLOADS_MAX} uploads are under way.`);
    }
    const writer = this.#deps.artifacts.begin(length);
    if (writer instanceof Refusal) return writer;
    const upload = { writer, by, isBusy: false, cancelIdle: () => {} };
    this.#uploads.set(writer.id, upload);
    this.#watch(upload);
    return writer.id;
  }

  /**
   * Takes a part. One that was taken before is passed over: its answer was lost.
   * @returns how many bytes there are now, where the next part begins.
   */
  async write({ id, at, bytes, by }: UploadPart): Promise<number | Refusal> {
    const upload = this.#of(id, by);
    if (upload instanceof Refusal) return upload;
    const { writer } = upload;
    if (at !== writer.received) return writer.received;
    const refusal = await this.#busy(upload, () => writer.write(bytes));
    if (refusal === undefined) return writer.received;
    await this.drop(id, by);
    return refusal;
  }

  /** Makes the artifact exist, once it is on the log. */
  async finish(id: string, by: string): Promise<ArtifactRecord | Refusal> {
    const upload = this.#of(id, by);
    if (upload instanceof Refusal) return upload;
    const { writer } = upload;
    const { artifacts, recordAct } = this.#deps;
    const record = await this.#busy(upload, async () => {
      const sha256 = await writer.finish();
      if (sha256 instanceof Refusal) return sha256;
      const facts = { length: writer.length };
      await recordAct({ action: 'update.artifact', principal: by, target: sha256, facts });
      return artifacts.keep(writer, sha256, by);
    });
    // What is missing may still come.
    if (!(record instanceof Refusal)) this.#end(upload);
    return record;
  }

  /** Gives one up. */
  async drop(id: string, by: string): Promise<Refusal | undefined> {
    const upload = this.#of(id, by);
    if (upload instanceof Refusal) return upload;
    await this.#drop(upload);
    return undefined;
  }

  /** Gives all up; their chunks are removed at the next start. */
  stop(): void {
    for (const upload of this.#uploads.values()) this.#end(upload);
  }

  #of(id: string, by: string): Upload | Refusal {
    const upload = this.#uploads.get(id);
    const detail = `There is no upload ${id} of yours; it was given up, or the server restarted.`;
    if (upload?.by !== by) return refuse('E_OPERATE_NOT_FOUND', detail);
    return upload.isBusy
      ? refuse('E_OPERATE_CONFLICT', 'A part of this upload is being stored just now.')
      : upload;
  }

  async #busy<T>(upload: Upload, task: () => Promise<T>): Promise<T> {
    upload.isBusy = true;
    upload.cancelIdle();
    try {
      const result = await task();
      upload.isBusy = false;
      this.#watch(upload);
      return result;
    } catch (error) {
      // Some of the part may be in the hash: nobody could tell where to go on.
      upload.isBusy = false;
      this.#end(upload);
      this.#deps.artifacts.abandon(upload.writer);
      throw error;
    }
  }

  #watch(upload: Upload): void {
    if (!this.#uploads.has(upload.writer.id)) return;
    upload.cancelIdle = this.#deps.clock.after(UPLOAD_IDLE_MS, () => {
      void this.#drop(upload).catch(() => undefined);
    });
  }

  async #drop(upload: Upload): Promise<void> {
    this.#end(upload);
    await this.#deps.artifacts.drop(upload.writer);
  }

  #end(upload: Upload): void {
    upload.cancelIdle();
    this.#uploads.delete(upload.writer.id);
  }
}
