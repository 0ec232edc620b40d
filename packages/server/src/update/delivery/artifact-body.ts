/** The bytes of an artifact as the body of an answer. @module */
import { type Clock, sleep } from '../../kernel/index.ts';
import type { StoredArtifact } from '../ports.ts';
import type { ByteRange } from './byte-range.ts';
import type { Download } from './downloads.ts';
import { PIECE_BYTES } from './limits.ts';

/** What is sent, at whose pace. */
export interface BodyParts {
  readonly artifact: StoredArtifact;
  readonly range: ByteRange;
  readonly download: Download;
  readonly clock: Clock;
  /** The store failed in the middle: the peer sees a broken connection and comes back. */
  readonly onFault: (error: unknown) => void;
}

/** A stream that is read only as fast as the peer reads, and as the rates allow. */
export function artifactBody(parts: BodyParts): ReadableStream<Uint8Array> {
  const { artifact, range, download, clock, onFault } = parts;
  const pieces = piecesOf(artifact.read(range.start, range.end));
  let isCancelled = false;
  const close = (controller: ReadableStreamDefaultController): void => {
    if (!isCancelled) controller.close();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        download.moved();
        try {
          const { value, done } = await pieces.next();
          if (done === true) {
            download.end();
            return close(controller);
          }
          const waitMs = download.take(value.length);
          if (waitMs > 0) await sleep(clock, waitMs);
          if (download.isOver) return close(controller);
          controller.enqueue(value);
          download.sent();
        } catch (error) {
          if (!download.isOver) onFault(error);
          // The connection ends without a word: an error would be printed, and sent to the peer.
          download.cut();
          close(controller);
        }
      },
      async cancel() {
        isCancelled = true;
        download.end();
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Cuts what the store gives into pieces that TLS takes at once; nothing is copied. */
async function* piecesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      yield chunk.subarray(at, at + PIECE_BYTES);
    }
  }
}
