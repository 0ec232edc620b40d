/** Makes the new image out of the old one and a delta. @module */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdDecompress } from 'node:zlib';
import { Refusal, refuse } from '@holdfast/protocol';
import { FRAME_HEADER_BYTES_MAX, readFrameHeader } from './frame-header.ts';
import { DELTA_IMAGE_BYTES_MAX, DELTA_WINDOW_LOG_MAX } from './limits.ts';

/** A file by what must be in it. */
export interface ExpectedImage {
  /** Bytes. */
  readonly length: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/**
 * Makes `out` of the old image and a delta, and leaves it only when it is the expected image.
 * Never writes more bytes than that image has, whatever the delta says. Memory: the old image
 * twice, and the new one once.
 * @param job.base - path of the old image
 * @param job.delta - path of the delta: a zstd frame with the old image as its dictionary
 * @param job.out - path of the file to write; it is replaced
 * @returns undefined when `out` is the expected image, and is on the disk
 * @throws what the file system throws
 */
export async function applyDelta({
  base,
  delta,
  out,
  image,
}: {
  readonly base: string;
  readonly delta: string;
  readonly out: string;
  readonly image: ExpectedImage;
}): Promise<Refusal | undefined> {
  const problem = await checkDelta({ base, delta, image });
  if (problem !== undefined) return problem;
  const dictionary = await readFile(base);
  // Flushed on the disk before it is closed: who hears of the image may rely on it.
  const sink = createWriteStream(out, { flush: true });
  const outcome = await decode({ dictionary, delta, image }, (parts) => pipeline(parts, sink));
  if (outcome !== undefined) await rm(out, { force: true });
  return outcome;
}

/** Proves that a delta makes the expected image, and writes nothing. */
export async function tryDelta(job: {
  readonly base: string;
  readonly delta: string;
  readonly image: ExpectedImage;
}): Promise<Refusal | undefined> {
  const problem = await checkDelta(job);
  if (problem !== undefined) return problem;
  const dictionary = await readFile(job.base);
  return decode({ ...job, dictionary }, async (parts) => {
    for await (const part of parts) void part;
  });
}

/**
 * Makes the new image as {@link applyDelta} does, for whoever has no file to put in its place. Each
 * part may be wrong: they count only when this resolves with undefined.
 */
export async function streamDelta(
  job: { readonly base: string; readonly delta: string; readonly image: ExpectedImage },
  consume: (parts: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<Refusal | undefined> {
  const problem = await checkDelta(job);
  if (problem !== undefined) return problem;
  const dictionary = await readFile(job.base);
  return decode({ ...job, dictionary }, consume);
}

/** What can be said before the old image is read, and before a window is allocated. */
async function checkDelta({
  base,
  delta,
  image,
}: {
  base: string;
  delta: string;
  image: ExpectedImage;
}): Promise<Refusal | undefined> {
  const { size } = await stat(base);
  if (size > DELTA_IMAGE_BYTES_MAX || image.length > DELTA_IMAGE_BYTES_MAX) {
    return refuse('E_UPDATE_DELTA', 'The image is too large for a delta.');
  }
  const header = readFrameHeader(await readStart(delta));
  if (header instanceof Refusal) return header;
  if (header.contentLength !== image.length) {
    const detail = `The delta makes ${header.contentLength} bytes, the image has ${image.length}.`;
    return refuse('E_UPDATE_DELTA', detail);
  }
  if (header.window > 2 ** DELTA_WINDOW_LOG_MAX) {
    return refuse('E_UPDATE_DELTA', `The delta wants a window of ${header.window} bytes.`);
  }
  return undefined;
}

async function readStart(path: string): Promise<Uint8Array> {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(FRAME_HEADER_BYTES_MAX), 0);
  return buffer.subarray(0, bytesRead);
}

async function decode(
  { dictionary, delta, image }: { dictionary: Buffer; delta: string; image: ExpectedImage },
  consume: (parts: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<Refusal | undefined> {
  const hash = createHash('sha256');
  let length = 0;
  async function* count(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      length += part.length;
      if (length > image.length) throw new TooMuch();
      hash.update(part);
      yield part;
    }
  }
  const decoder = createZstdDecompress({
    dictionary,
    params: { [constants.ZSTD_d_windowLogMax]: DELTA_WINDOW_LOG_MAX },
  });
  try {
    const reading = pipeline(createReadStream(delta), decoder);
    const [consumed, read] = await Promise.allSettled([consume(count(decoder)), reading]);
    if (consumed.status === 'rejected') throw consumed.reason;
    if (read.status === 'rejected') throw read.reason;
  } catch (error) {
    if (error instanceof TooMuch || isZstdError(error)) {
      return refuse('E_UPDATE_DELTA', 'The delta is damaged, or belongs to another image.');
    }
    throw error;
  }
  if (length === image.length && hash.digest('hex') === image.sha256) return undefined;
  return refuse('E_UPDATE_DELTA', 'The delta makes another image than the one it is for.');
}

/** More came out of the delta than the image has bytes. */
class TooMuch extends Error {}

function isZstdError(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const code = String(error.code);
  // What is cut short ends as a Z_BUF_ERROR in every format of node:zlib.
  return code.startsWith('ZSTD_error_') || code.startsWith('ERR_ZLIB') || code === 'Z_BUF_ERROR';
}
