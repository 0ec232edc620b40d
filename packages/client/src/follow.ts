/** Follows a history so that nothing is lost, whatever happens to the connection. @module */
import { ApiError } from './api-error.ts';
import { CATCH_UP_ENTRIES, RECONNECT_MS_MAX, RECONNECT_MS_MIN } from './limits.ts';

/** What is needed of a history: its pages, newest first, and the stream of what is new. */
export interface FollowedHistory<T> {
  readonly read: (page: { limit: number; before?: number }) => Promise<readonly T[]>;
  /**
   * Resolves when the server listens: what becomes durable from then on is in the stream.
   * The signal closes it.
   */
  readonly open: (signal: AbortSignal) => Promise<AsyncIterable<T>>;
}

/** How to follow. */
export interface FollowOptions {
  /** Index of the last entry that the caller has; -1 for none. */
  readonly after: number;
  /** Ends the following without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the connection is lost; it is opened again after `waitMs`. */
  readonly onLost?: ((error: ApiError, waitMs: number) => void) | undefined;
}

/** Waits, and rejects when the signal aborts. */
export type Wait = (ms: number, signal: AbortSignal | undefined) => Promise<unknown>;

/**
 * Gives every entry behind `after` once, in order, until the signal aborts. After each connection
 * it reads the pages of what it missed. A first connection that fails, and an answer that refuses,
 * end it with their {@link ApiError}.
 */
export async function* follow<T extends { readonly index: number }>(
  history: FollowedHistory<T>,
  { after, signal, onLost }: FollowOptions,
  wait: Wait,
): AsyncGenerator<T, void, undefined> {
  let last = after;
  let waitMs = RECONNECT_MS_MIN;
  let isFirst = true;
  while (!isAborted(signal)) {
    const connection = new AbortController();
    try {
      // The stream first: what comes while the pages are read waits in it.
      const stream = await history.open(anyOf(signal, connection.signal));
      waitMs = RECONNECT_MS_MIN;
      isFirst = false;
      for await (const entry of concat(newerThan(history.read, last), stream)) {
        if (entry.index <= last) continue;
        last = entry.index;
        yield entry;
      }
      throw new ApiError({
        code: 'E_CLIENT_UNREACHABLE',
        message: 'The server ended the stream.',
        fix: 'Check that the server runs (holdfast up).',
      });
    } catch (error) {
      if (isAborted(signal)) return;
      if (isFirst || !(error instanceof ApiError) || !isPassing(error)) throw error;
      onLost?.(error, waitMs);
    } finally {
      // Also when the caller stops: a stream that nobody has begun to read closes in no other way.
      connection.abort();
    }
    try {
      await wait(waitMs, signal);
    } catch {
      return;
    }
    waitMs = Math.min(waitMs * 2, RECONNECT_MS_MAX);
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function anyOf(outer: AbortSignal | undefined, inner: AbortSignal): AbortSignal {
  return outer === undefined ? inner : AbortSignal.any([outer, inner]);
}

/**
 * The entries behind `after`, oldest first. Pages are newest first, so it goes back through them
 * and remembers only where each begins, then reads them again forward.
 */
async function* newerThan<T extends { readonly index: number }>(
  read: FollowedHistory<T>['read'],
  after: number,
): AsyncGenerator<T, void, undefined> {
  const starts: number[] = [];
  let page = await read({ limit: CATCH_UP_ENTRIES });
  for (;;) {
    const newest = page[0];
    const oldest = page.at(-1);
    if (newest === undefined || oldest === undefined) break;
    if (oldest.index <= after || oldest.index === 0 || page.length < CATCH_UP_ENTRIES) break;
    starts.push(newest.index + 1);
    page = await read({ limit: CATCH_UP_ENTRIES, before: oldest.index });
  }
  yield* page.toReversed();
  for (const before of starts.toReversed()) {
    yield* (await read({ limit: CATCH_UP_ENTRIES, before })).toReversed();
  }
}

async function* concat<T>(first: AsyncIterable<T>, second: AsyncIterable<T>): AsyncGenerator<T> {
  yield* first;
  yield* second;
}

/** Whether to try again may help: no answer, or a server in trouble. */
function isPassing({ code, status }: ApiError): boolean {
  return code === 'E_CLIENT_UNREACHABLE' || status === 429 || (status ?? 0) >= 500;
}
