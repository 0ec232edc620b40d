import { refuse } from '@holdfast/protocol';
/** Streams of server-sent events: each new item of a history as it becomes durable. @module */
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { sleep } from '../kernel/index.ts';
import type { History } from '../telemetry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { STREAMS_MAX, STREAM_HEARTBEAT_MS, STREAM_WAITING_MAX } from './limits.ts';

/** What a stream sends. */
export interface StreamSource<T extends { readonly index: number }, V> {
  readonly event: string;
  readonly history: History<T>;
  readonly view: (item: T) => V;
}

/** The open streams of one server. */
export class Streams {
  readonly #deps: ApiDeps;
  #count = 0;

  constructor(deps: ApiDeps) {
    this.#deps = deps;
  }

  /** Answers with a stream that lasts until the reader leaves, lags behind, or loses its right. */
  open<T extends { readonly index: number }, V>(
    c: Context<ApiEnv>,
    { event, history, view }: StreamSource<T, V>,
  ): Response {
    if (this.#count >= STREAMS_MAX) {
      throw new RefusedRequest(refuse('E_OPERATE_RATE', `${STREAMS_MAX} streams are open`));
    }
    this.#count += 1;
    const caller = c.get('caller');
    const { clock, people } = this.#deps;
    return streamSSE(c, async (stream) => {
      const waiting: T[] = [];
      let wake = (): void => {};
      let isLagging = false;
      const unfollow = history.follow((item) => {
        if (waiting.length < STREAM_WAITING_MAX) waiting.push(item);
        else isLagging = true;
        wake();
      });
      stream.onAbort(() => wake());
      const mayGoOn = (): boolean =>
        !stream.aborted && !isLagging && people.liveUntilMs(caller) > clock.nowMs();
      try {
        await stream.write(': open\n\n');
        while (mayGoOn()) {
          const item = waiting.shift();
          if (item !== undefined) {
            const data = JSON.stringify(view(item));
            await stream.writeSSE({ event, id: String(item.index), data });
            continue;
          }
          const woken = new Promise<void>((resolve) => {
            wake = resolve;
          });
          await Promise.race([woken, sleep(clock, STREAM_HEARTBEAT_MS)]);
          if (waiting.length === 0 && mayGoOn()) await stream.write(': alive\n\n');
        }
      } finally {
        unfollow();
        this.#count -= 1;
      }
    });
  }
}
