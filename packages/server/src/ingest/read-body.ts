/** Reads bodies within bounds: of each one, and of all that are held. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { BODIES_BYTES_MAX } from './limits.ts';

/** A body in memory. */
export interface HeldBody {
  readonly bytes: Uint8Array;
  /** To be called when it is needed no more. */
  readonly release: () => void;
}

/** Counts the bytes of all bodies that are held. */
export class BodyReader {
  #heldBytes = 0;

  /**
   * Reads a body. Refuses `E_INGEST_SIZE` when it is too large, `E_INGEST_BUSY` when all of them
   * are, and `E_INGEST_INPUT` when it breaks off: the peer has gone.
   */
  async read(request: Request, bytesMax: number): Promise<HeldBody | Refusal> {
    const declared = Number(request.headers.get('content-length') ?? '0');
    if (declared > bytesMax) return tooLarge(bytesMax);
    let held = 0;
    const release = (): void => {
      this.#heldBytes -= held;
      held = 0;
    };
    const chunks: Uint8Array[] = [];
    let isRead = false;
    try {
      for await (const chunk of request.body ?? []) {
        held += chunk.length;
        this.#heldBytes += chunk.length;
        if (held > bytesMax) return tooLarge(bytesMax);
        if (this.#heldBytes > BODIES_BYTES_MAX) {
          return refuse('E_INGEST_BUSY', `more than ${BODIES_BYTES_MAX} bytes are being taken in`);
        }
        chunks.push(chunk);
      }
      isRead = true;
    } catch (error) {
      return refuse('E_INGEST_INPUT', `the body broke off: ${String(error)}`);
    } finally {
      if (!isRead) release();
    }
    return { bytes: Buffer.concat(chunks), release };
  }
}

function tooLarge(bytesMax: number): Refusal {
  return refuse('E_INGEST_SIZE', `a body of more than ${bytesMax} bytes`);
}
