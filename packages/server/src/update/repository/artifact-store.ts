/** Artifacts at rest: sealed in a bucket, chunk by chunk, and read by ranges. @module */
import { createHash } from 'node:crypto';
import { Refusal, refuse } from '@holdfast/protocol';
import type { Bucket } from '../../buckets/index.ts';
import { type Clock, Fault, type RandomBytes, type SecretBytes } from '../../kernel/index.ts';
import type { Collection, SealedStore } from '../../persistence/index.ts';
import type { StoredArtifact } from '../ports.ts';
import {
  type ArtifactRecord,
  ArtifactRecordSchema,
  LeftoverSchema,
  chunkCount,
  chunkName,
  chunkPrefix,
  CHUNKS_PREFIX,
  uploadOf,
} from './artifact-records.ts';
import { ARTIFACT_ID_BYTES, artifactKey, openChunk } from './artifact-seal.ts';
import { ArtifactWriter } from './artifact-writer.ts';
import { ARTIFACTS_MAX, ARTIFACT_BYTES_MAX, CHUNKS_REMEMBERED_MAX, CHUNK_BYTES } from './limits.ts';

/** What was found of a chunk that is not as it was stored. */
export interface ArtifactDamage {
  readonly sha256: string;
  readonly index: number;
  readonly why: string;
}

/** What the store needs. */
export interface ArtifactStoreDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly store: Pick<SealedStore, 'collection' | 'transaction' | 'keyring'>;
  readonly bucket: Bucket;
  /** Hears of each damaged chunk, once for each time that it is read. */
  readonly onDamage: (damage: ArtifactDamage) => void;
}

const PURPOSE = 'firmware';
const REMOVE = 'holdfast fw artifact remove --unneeded.';

/** The chunks of one upload. */
interface UploadFigures {
  readonly chunks: number;
  readonly bytes: number;
}

/** The artifacts of one server. What is not finished does not exist for anybody. */
export class ArtifactStore {
  readonly #deps: ArtifactStoreDeps;
  readonly #records: Collection<ArtifactRecord>;
  readonly #leftovers: Collection<{ id: string }>;
  readonly #bySha256 = new Map<string, ArtifactRecord>();
  readonly #opened = new Map<string, Promise<Buffer>>();
  /** Uploads of which chunks were not there at the last look. */
  readonly #lacking = new Set<string>();
  /** Uploads under way: their chunks are no leftovers yet. */
  readonly #writing = new Set<string>();
  /** Chunks that nobody knows of, at the last look, by their upload. */
  #strays: ReadonlyMap<string, UploadFigures> = new Map();
  #sweeping: Promise<void> = Promise.resolve();
  #isStopped = false;
  /** Who copies; and uploads whose chunks go when all have ended. */
  #holders = 0;
  readonly #held = new Set<string>();

  constructor(deps: ArtifactStoreDeps) {
    this.#deps = deps;
    this.#records = deps.store.collection('artifact', ArtifactRecordSchema);
    this.#leftovers = deps.store.collection('artifact-leftover', LeftoverSchema);
    for (const record of this.#records.all()) this.#bySha256.set(record.sha256, record);
  }

  /**
   * Removes the chunks of what exists no more: of uploads that broke off, of artifacts that were
   * replaced or removed. One that cannot be removed keeps none of the others; it is tried again at
   * the next call. @throws what the bucket throws, once all were tried.
   */
  sweep(): Promise<void> {
    const swept = this.#sweeping.then(() => this.#sweep());
    this.#sweeping = swept.catch(() => undefined);
    return swept;
  }

  /** Removes nothing more, and asks no more of the store; what is left goes at the next start. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Uploads whose chunks are still to be removed. */
  get removing(): number {
    return this.#leftovers.all().filter(({ id }) => !this.#writing.has(id)).length;
  }

  /**
   * Looks which artifacts lack chunks, as they do after a restore of a backup without them, and
   * which chunks belong to nothing, as those do that came after that backup.
   */
  async look(): Promise<void> {
    // Those of now: of one that comes meanwhile, the list may have some chunks.
    const records = this.all();
    // One that is swept away meanwhile may be on the list, and is no leftover any more at its end.
    const leftovers = this.#leftovers.all();
    const found = new Map<string, UploadFigures>();
    for await (const { key, size } of this.#deps.bucket.list(CHUNKS_PREFIX)) {
      const id = uploadOf(key);
      if (id === undefined) continue;
      const { chunks, bytes } = found.get(id) ?? { chunks: 0, bytes: 0 };
      found.set(id, { chunks: chunks + 1, bytes: bytes + size });
    }
    if (this.#isStopped) return;
    for (const record of records) {
      const { chunks } = found.get(record.id) ?? { chunks: 0 };
      if (chunks < chunkCount(record)) this.#lacking.add(record.id);
      else this.#lacking.delete(record.id);
    }
    // An upload is known before its first chunk: what was listed is known by now, or by nobody.
    for (const { id } of this.all()) found.delete(id);
    for (const { id } of [...leftovers, ...this.#leftovers.all()]) found.delete(id);
    this.#strays = found;
  }

  /** What belongs to nothing that this server knows, as of the last look. */
  get strays(): { readonly uploads: number; readonly bytes: number } {
    const bytes = [...this.#strays.values()].reduce((sum, one) => sum + one.bytes, 0);
    return { uploads: this.#strays.size, bytes };
  }

  /** Makes leftovers of the strays, which the next sweep removes. */
  takeStrays(): void {
    const ids = [...this.#strays.keys()];
    this.#deps.store.transaction(() => {
      for (const id of ids) this.#leftovers.write(id, { id });
    });
    this.#strays = new Map();
  }

  /** Whether an artifact is here, with all of its chunks when they were last looked for. */
  isWhole(sha256: string): boolean {
    const record = this.#bySha256.get(sha256);
    return record !== undefined && !this.#lacking.has(record.id);
  }

  /** Begins to take an artifact. Refuses `E_UPDATE_ARTIFACT` for a length that cannot be. */
  begin(length: number): ArtifactWriter | Refusal {
    if (!Number.isSafeInteger(length) || length < 1 || length > ARTIFACT_BYTES_MAX) {
      return refuse('E_UPDATE_ARTIFACT', `An artifact has 1 to ${ARTIFACT_BYTES_MAX} bytes.`);
    }
    if (this.#bySha256.size >= ARTIFACTS_MAX) {
      return refuse('E_UPDATE_ARTIFACT', `There are ${ARTIFACTS_MAX} artifacts already: ${REMOVE}`);
    }
    const { random, store, bucket } = this.#deps;
    const id = Buffer.from(random(ARTIFACT_ID_BYTES)).toString('hex');
    const { key: root, ref: keyRef } = store.keyring.only(PURPOSE);
    // Before its first chunk: nothing is ever in the bucket that nobody knows of.
    this.#leftovers.write(id, { id });
    this.#writing.add(id);
    return new ArtifactWriter({ bucket, id, length, key: artifactKey(root, id), keyRef });
  }

  /**
   * Makes a whole artifact exist. One with the same hash is replaced, which mends it.
   * @param sha256 - What {@link ArtifactWriter.finish} gave.
   */
  async keep(writer: ArtifactWriter, sha256: string, by: string): Promise<ArtifactRecord> {
    const { store, clock } = this.#deps;
    const { id, length, keyRef } = writer;
    const facts = { keyRef, chunkBytes: CHUNK_BYTES, storedAtMs: clock.nowMs(), by };
    const record: ArtifactRecord = { sha256, length, id, ...facts };
    const before = this.#bySha256.get(sha256);
    store.transaction(() => {
      this.#records.write(sha256, record);
      this.#leftovers.remove(id);
      if (before !== undefined) this.#leftovers.write(before.id, { id: before.id });
    });
    this.#writing.delete(id);
    this.#bySha256.set(sha256, record);
    if (before !== undefined) await this.#removeChunks(before.id);
    return record;
  }

  /** Gives up what was begun. */
  async drop(writer: Pick<ArtifactWriter, 'id'>): Promise<void> {
    this.abandon(writer);
    await this.#removeChunks(writer.id);
  }

  /** The same, without removing its chunks now. */
  abandon({ id }: Pick<ArtifactWriter, 'id'>): void {
    this.#writing.delete(id);
  }

  /** Keeps bytes that are in memory already, such as an SBOM. */
  async put(bytes: Uint8Array, by: string): Promise<ArtifactRecord | Refusal> {
    const writer = this.begin(bytes.length);
    if (writer instanceof Refusal) return writer;
    const refusal = await writer.write(bytes);
    const sha256 = refusal ?? (await writer.finish());
    return sha256 instanceof Refusal ? sha256 : this.keep(writer, sha256, by);
  }

  all(): ArtifactRecord[] {
    return [...this.#bySha256.values()];
  }

  /** An artifact; undefined when there is none with this hash. Asks nothing of the bucket. */
  get(sha256: string): StoredArtifact | undefined {
    const record = this.#bySha256.get(sha256);
    if (record === undefined) return undefined;
    const { length } = record;
    return { length, sha256, read: (start, end) => this.#read(record, start, end) };
  }

  /** Removes an artifact for good; it is no error when there is none. */
  async remove(sha256: string): Promise<void> {
    const record = this.#bySha256.get(sha256);
    if (record === undefined) return;
    this.forget([sha256]);
    await this.#removeChunks(record.id);
  }

  /**
   * Makes artifacts exist no more, all of them at once; {@link sweep} removes their chunks, now or
   * after a crash. Who reads one of them meets a fault, and no other bytes.
   */
  forget(hashes: readonly string[]): void {
    const records = hashes.flatMap((sha256) => this.#bySha256.get(sha256) ?? []);
    this.#deps.store.transaction(() => {
      for (const { sha256, id } of records) {
        this.#records.remove(sha256);
        this.#leftovers.write(id, { id });
      }
    });
    for (const { sha256 } of records) this.#bySha256.delete(sha256);
  }

  /** Keeps chunks from being removed until what it gives is called. */
  hold(): () => Promise<void> {
    this.#holders += 1;
    return async () => {
      this.#holders -= 1;
      if (this.#holders > 0) return;
      const ids = [...this.#held];
      this.#held.clear();
      // What cannot be removed now is a leftover still, and goes at the next start.
      await Promise.allSettled(ids.map((id) => this.#removeChunks(id)));
    };
  }

  /**
   * A chunk, sealed as it is kept, once it has proven to be whole.
   * @throws Fault `E_UPDATE_ARTIFACT_DAMAGED`, and what the bucket throws.
   */
  async sealedChunk(record: ArtifactRecord, index: number): Promise<Buffer> {
    const sealed = await this.#sealed(record, index);
    if (sealed === undefined) throw this.#damaged(record, index, absent());
    this.#open(record, index, sealed);
    return sealed;
  }

  async *#read(record: ArtifactRecord, start: number, end: number): AsyncGenerator<Uint8Array> {
    const { length, chunkBytes } = record;
    if (!(start >= 0 && start <= end && end <= length)) throw new RangeError('not in the artifact');
    for (let at = start; at < end;) {
      const index = Math.floor(at / chunkBytes);
      const chunk = await this.#chunk(record, index);
      const from = at - index * chunkBytes;
      const some = chunk.subarray(from, Math.min(chunk.length, from + end - at));
      yield some;
      at += some.length;
    }
  }

  /** A chunk, opened. Whoever gets it must not change it: others read the same bytes. */
  #chunk(record: ArtifactRecord, index: number): Promise<Buffer> {
    const name = chunkName(record.id, index);
    const known = this.#opened.get(name);
    this.#opened.delete(name);
    const chunk = known ?? this.#openChunk(record, index);
    this.#opened.set(name, chunk);
    const [oldest] = this.#opened.keys();
    if (this.#opened.size > CHUNKS_REMEMBERED_MAX && oldest !== undefined) {
      this.#opened.delete(oldest);
    }
    chunk.catch(() => {
      if (this.#opened.get(name) === chunk) this.#opened.delete(name);
    });
    return chunk;
  }

  async #openChunk(record: ArtifactRecord, index: number): Promise<Buffer> {
    const { id, sha256 } = record;
    const sealed = await this.#sealed(record, index);
    // It was replaced while somebody read it: the new one has the same bytes at the same places.
    const now = this.#bySha256.get(sha256);
    if (sealed === undefined && now !== undefined && now.id !== id) return this.#chunk(now, index);
    if (sealed === undefined && now === undefined) throw goneFault(sha256);
    if (sealed === undefined) throw this.#damaged(record, index, absent());
    return this.#open(record, index, sealed);
  }

  #open(record: ArtifactRecord, index: number, sealed: Buffer): Buffer {
    const place = { id: record.id, index, count: chunkCount(record) };
    try {
      return openChunk(sealed, this.#keyOf(record), place);
    } catch (cause) {
      throw this.#damaged(record, index, cause);
    }
  }

  #damaged(record: ArtifactRecord, index: number, cause: unknown): Fault {
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#deps.onDamage({ sha256: record.sha256, index, why });
    return damageFault(record, index, cause);
  }

  /** No more than a chunk has: whoever else can write there puts a larger one. */
  #sealed(record: ArtifactRecord, index: number): Promise<Buffer | undefined> {
    const { id, chunkBytes, length } = record;
    const { bucket } = this.#deps;
    const name = chunkName(id, index);
    const end = Math.min(chunkBytes, length - index * chunkBytes) + SEALED_BYTES_MORE;
    return bucket.getRange?.(name, 0, end) ?? bucket.get(name);
  }

  #keyOf({ keyRef, id }: ArtifactRecord): SecretBytes {
    return artifactKey(this.#deps.store.keyring.byRef(keyRef).key, id);
  }

  async #sweep(): Promise<void> {
    const failures: unknown[] = [];
    for (const { id } of this.#leftovers.all()) {
      if (this.#isStopped) return;
      if (this.#writing.has(id)) continue;
      await this.#removeChunks(id).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  async #removeChunks(id: string): Promise<void> {
    if (this.#holders > 0) {
      this.#held.add(id);
      return;
    }
    const { bucket } = this.#deps;
    const names: string[] = [];
    for await (const { key } of bucket.list(chunkPrefix(id))) names.push(key);
    // The one that a crash has cut is not listed, and may have left something behind.
    for (const name of [chunkName(id, names.length), ...names]) {
      if (this.#isStopped) return;
      await bucket.remove(name);
    }
    if (!this.#isStopped) this.#leftovers.remove(id);
  }
}

/** SHA-256 in hexadecimal. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function absent(): Error {
  return new Error('it is not there');
}

function damageFault({ sha256 }: ArtifactRecord, index: number, cause: unknown): Fault {
  return new Fault({
    code: 'E_UPDATE_ARTIFACT_DAMAGED',
    what: `Chunk ${index} of the artifact ${sha256} is missing or was changed where it is kept.`,
    fix: 'Bring the same file again: holdfast fw upload FILE. Find out who can write there.',
    cause,
  });
}

function goneFault(sha256: string): Fault {
  return new Fault({
    code: 'E_UPDATE_ARTIFACT_GONE',
    what: `The artifact ${sha256} was removed while it was read.`,
    fix: 'No release that is published has it. Bring the file again if it is needed after all.',
  });
}

/** A sealed chunk is 28 bytes longer; one more shows that an object is too long. */
const SEALED_BYTES_MORE = 29;
