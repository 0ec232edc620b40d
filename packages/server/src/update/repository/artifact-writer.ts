/** An artifact on its way in: hashed, cut, sealed and put, chunk by chunk. @module */
import { createHash } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Bucket } from '../../buckets/index.ts';
import type { SecretBytes } from '../../kernel/index.ts';
import { chunkCount, chunkName } from './artifact-records.ts';
import { sealChunk } from './artifact-seal.ts';
import { CHUNK_BYTES } from './limits.ts';

/** What a writer is made for. */
export interface ArtifactWriterParts {
  readonly bucket: Pick<Bucket, 'put'>;
  readonly id: string;
  /** Bytes that it is going to have. */
  readonly length: number;
  readonly key: SecretBytes;
  /** Number of the data key that it is derived from. */
  readonly keyRef: number;
}

/** Writes the chunks of one artifact. One call at a time; after one that throws, it is useless. */
export class ArtifactWriter {
  readonly id: string;
  readonly length: number;
  readonly keyRef: number;
  readonly #bucket: Pick<Bucket, 'put'>;
  readonly #key: SecretBytes;
  readonly #hash = createHash('sha256');
  readonly #chunk: Buffer;
  #filled = 0;
  #index = 0;
  #received = 0;

  constructor({ bucket, id, length, key, keyRef }: ArtifactWriterParts) {
    this.id = id;
    this.length = length;
    this.keyRef = keyRef;
    this.#bucket = bucket;
    this.#key = key;
    this.#chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, length));
  }

  /** Bytes so far. */
  get received(): number {
    return this.#received;
  }

  /** Takes the next bytes. Refuses `E_UPDATE_ARTIFACT` when they are more than was announced. */
  async write(bytes: Uint8Array): Promise<Refusal | undefined> {
    if (this.#received + bytes.length > this.length) {
      return refuse('E_UPDATE_ARTIFACT', `It is longer than the ${this.length} bytes announced.`);
    }
    this.#received += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const some = bytes.subarray(at, at + this.#chunk.length - this.#filled);
      this.#hash.update(some);
      this.#chunk.set(some, this.#filled);
      this.#filled += some.length;
      at += some.length;
      if (this.#filled === this.#chunk.length) await this.#flush();
    }
    return undefined;
  }

  /** The hash of it all, once the last chunk is durable. Refuses when bytes are missing. */
  async finish(): Promise<string | Refusal> {
    if (this.#received < this.length) {
      const detail = `${this.#received} bytes came of the ${this.length} announced.`;
      return refuse('E_UPDATE_ARTIFACT', detail);
    }
    if (this.#filled > 0) await this.#flush();
    return this.#hash.digest('hex');
  }

  async #flush(): Promise<void> {
    const place = {
      id: this.id,
      index: this.#index,
      count: chunkCount({ length: this.length, chunkBytes: CHUNK_BYTES }),
    };
    const sealed = sealChunk(this.#chunk.subarray(0, this.#filled), this.#key, place);
    await this.#bucket.put(chunkName(place.id, place.index), sealed);
    this.#index += 1;
    this.#filled = 0;
  }
}
