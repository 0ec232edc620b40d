/** Makes a delta: the new image, compressed with the old one as its dictionary. @module */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { refuse } from '@holdfast/protocol';
import type { Refusal } from '@holdfast/protocol';
import { tryDelta } from './apply-delta.ts';
import type { ExpectedImage } from './apply-delta.ts';
import { DELTA_IMAGE_BYTES_MAX, DELTA_WINDOW_LOG_MAX, DELTA_WINDOW_LOG_MIN } from './limits.ts';

/** A delta as a release names it. */
export interface MadeDelta {
  /** SHA-256 of the image that it starts from, in hexadecimal. */
  readonly from: string;
  /** SHA-256 of the delta, in hexadecimal. */
  readonly sha256: string;
  /** Bytes of the delta. */
  readonly length: number;
}

/**
 * Writes the delta from `base` to `image`, and proves that it makes `image` again. Whoever has
 * `zstd` can apply it: `zstd -d --patch-from=BASE DELTA -o IMAGE`.
 * @param job.base - path of the old image
 * @param job.image - path of the new image
 * @param job.out - path of the file to write; it is replaced
 * @returns the delta; a refusal when an image is too large, or the delta is no smaller than the
 * new image: then there is no `out`
 * @throws what the file system throws
 */
export async function makeDelta({
  base,
  image,
  out,
}: {
  readonly base: string;
  readonly image: string;
  readonly out: string;
}): Promise<MadeDelta | Refusal> {
  const lengths = [(await stat(base)).size, (await stat(image)).size];
  if (lengths.some((length) => length > DELTA_IMAGE_BYTES_MAX)) {
    const most = `${DELTA_IMAGE_BYTES_MAX / 1_048_576} MiB`;
    return refuse('E_UPDATE_DELTA', `An image is too large for a delta: at most ${most}.`);
  }
  const dictionary = await readFile(base);
  const from = createHash('sha256').update(dictionary).digest('hex');
  const { made, target } = await compress({ dictionary, image, out, length: lengths[1] ?? 0 });
  if (made.length >= target.length) {
    await rm(out, { force: true });
    return refuse('E_UPDATE_DELTA', 'The delta is no smaller than the image itself.');
  }
  const problem = await tryDelta({ base, delta: out, image: target });
  if (problem === undefined) return { from, ...made };
  await rm(out, { force: true });
  return problem;
}

async function compress({
  dictionary,
  image,
  out,
  length,
}: {
  dictionary: Buffer;
  image: string;
  out: string;
  length: number;
}): Promise<{ made: Omit<MadeDelta, 'from'>; target: ExpectedImage }> {
  const imageHash = new Counted();
  const deltaHash = new Counted();
  const encoder = createZstdCompress({
    dictionary,
    pledgedSrcSize: length,
    params: {
      ...searchFor(dictionary.length + length),
      [constants.ZSTD_c_windowLog]: windowLogFor(length),
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });
  await pipeline(
    createReadStream(image),
    (parts: AsyncIterable<Uint8Array>) => imageHash.through(parts),
    encoder,
    (parts: AsyncIterable<Uint8Array>) => deltaHash.through(parts),
    createWriteStream(out, { flush: true }),
  );
  return { made: deltaHash.end(), target: imageHash.end() };
}

/** The old image counts as reachable while the window holds all of the new one. RFC 8878 §5 */
function windowLogFor(length: number): number {
  const log = Math.ceil(Math.log2(Math.max(length, 1)));
  return Math.min(Math.max(log, DELTA_WINDOW_LOG_MIN), DELTA_WINDOW_LOG_MAX);
}

/**
 * How hard to search, for so many bytes of both images. The tables of a level alone find what is
 * near; those of larger images have to grow with them, or most of the old image is not found.
 */
function searchFor(length: number): Record<number, number> {
  if (length <= THOROUGH_BYTES_MAX) return { [constants.ZSTD_c_compressionLevel]: 19 };
  const log = Math.min(Math.ceil(Math.log2(length)) - 1, TABLE_LOG_MAX);
  return {
    [constants.ZSTD_c_compressionLevel]: 12,
    [constants.ZSTD_c_hashLog]: log,
    [constants.ZSTD_c_chainLog]: log,
  };
}

/** Hashes and counts what passes. */
class Counted {
  readonly #hash = createHash('sha256');
  #length = 0;

  async *through(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      this.#hash.update(part);
      this.#length += part.length;
      yield part;
    }
  }

  end(): { sha256: string; length: number } {
    return { sha256: this.#hash.digest('hex'), length: this.#length };
  }
}

/** Up to here the best search takes seconds; beyond, minutes. */
const THOROUGH_BYTES_MAX = 16 * 1_024 * 1_024;
/** Two tables of 256 MiB. */
const TABLE_LOG_MAX = 26;
