/** A GET that ends: neither endless nor dripping answers keep it. @module */
import type { Clock } from '../clock.ts';
import type { FetchAnswer, FetchPort, FetchRequest } from './fetch-port.ts';
import { UPDATE_RATE_WINDOW_BYTES, UPDATE_RATE_WINDOW_MS } from './limits.ts';
import { updateError } from './update-error.ts';

/** What a bounded GET needs. */
export interface GetDeps {
  readonly fetch: FetchPort;
  readonly clock: Clock;
}

/** An answer whose body is bounded. */
export interface BoundedAnswer extends FetchAnswer {
  /** Ends it; whoever does not read the body to its end calls this. */
  readonly close: () => void;
}

/**
 * Asks, and gives up when a minute brings less than 60 kB and not the end, or when more than
 * `lengthMax` bytes come. So a file of `n` bytes takes at most `n` milliseconds and a minute.
 *
 * @throws DeviceError `E_DEVICE_UPDATE_SLOW`, and what the connection fails of; the body also
 *   `E_DEVICE_UPDATE_TOO_LARGE`
 */
export async function boundedGet(
  { fetch, clock }: GetDeps,
  request: FetchRequest,
  lengthMax: number,
): Promise<BoundedAnswer> {
  const controller = new AbortController();
  const signals = [controller.signal, ...(request.signal === undefined ? [] : [request.signal])];
  const received = { bytes: 0 };
  const stop = watchRate(clock, received, () => {
    controller.abort(updateError('E_DEVICE_UPDATE_SLOW', `${request.path} comes too slowly`));
  });
  try {
    const answer = await fetch.get({ ...request, signal: AbortSignal.any(signals) });
    const close = (): void => {
      stop();
      controller.abort(updateError('E_DEVICE_UPDATE_ANSWER', `${request.path} was not read`));
    };
    const body = bounded(answer.body, { path: request.path, lengthMax, received, stop });
    return { ...answer, body, close };
  } catch (error) {
    stop();
    throw error;
  }
}

/** Calls `onSlow` after the first window that brought too little. */
function watchRate(clock: Clock, received: { bytes: number }, onSlow: () => void): () => void {
  let cancel = (): void => undefined;
  const arm = (before: number): void => {
    cancel = clock.after(UPDATE_RATE_WINDOW_MS, () => {
      if (received.bytes - before < UPDATE_RATE_WINDOW_BYTES) onSlow();
      else arm(received.bytes);
    });
  };
  arm(0);
  return () => cancel();
}

async function* bounded(
  body: AsyncIterable<Uint8Array>,
  options: { path: string; lengthMax: number; received: { bytes: number }; stop: () => void },
): AsyncGenerator<Uint8Array> {
  const { path, lengthMax, received, stop } = options;
  try {
    for await (const chunk of body) {
      received.bytes += chunk.length;
      if (received.bytes > lengthMax) {
        throw updateError('E_DEVICE_UPDATE_TOO_LARGE', `${path} has more than ${lengthMax} bytes`);
      }
      yield chunk;
    }
  } finally {
    stop();
  }
}
