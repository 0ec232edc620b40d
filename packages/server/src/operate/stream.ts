/** Streams of server-sent events: each new item of a history as it becomes durable. @module */
import { refuse } from '@holdfast/protocol';
import type { Context } from 'hono';
import type { CancelTimer } from '../kernel/index.ts';
import type { Resource } from '../policy/index.ts';
import type { History } from '../telemetry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { STREAMS_MAX, STREAM_HEARTBEAT_MS, STREAM_WAITING_BYTES_MAX } from './limits.ts';

/** What a stream sends. */
export interface StreamSource<T extends { readonly index: number }> {
  readonly event: string;
  readonly history: History<T>;
  readonly view: (item: T) => object;
  /** What it is a stream of, for the policy. */
  readonly resource: () => Resource | undefined;
}

const HEADERS = { 'Content-Type': 'text/event-stream; charset=utf-8' };

/** The open streams of one server. */
export class Streams {
  readonly #deps: ApiDeps;
  #count = 0;

  constructor(deps: ApiDeps) {
    this.#deps = deps;
  }

  /**
   * Answers with a stream that lasts until the reader leaves, lags behind, or loses its right.
   * Refuses `E_OPERATE_RATE` when too many are open.
   */
  open<T extends { readonly index: number }>(
    c: Context<ApiEnv>,
    source: StreamSource<T>,
  ): Response {
    if (this.#count >= STREAMS_MAX) {
      throw new RefusedRequest(refuse('E_OPERATE_RATE', `${STREAMS_MAX} streams are open`));
    }
    // Nobody would ever read the body of an answer to HEAD, nor close it.
    if (c.req.method === 'HEAD') return c.body(null, 200, HEADERS);
    this.#count += 1;
    return c.body(this.#body(c, source), 200, HEADERS);
  }

  #body<T extends { readonly index: number }>(
    c: Context<ApiEnv>,
    { event, history, view, resource }: StreamSource<T>,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const [caller, access] = [c.get('caller'), c.get('access')];
    const mayStill = (): boolean => {
      const now = resource();
      return now !== undefined && access.stillPermits(now);
    };
    const { clock, people } = this.#deps;
    let unfollow = (): void => {};
    let cancelHeartbeat: CancelTimer = () => {};
    let isOpen = true;
    const end = (): void => {
      if (!isOpen) return;
      isOpen = false;
      unfollow();
      cancelHeartbeat();
      this.#count -= 1;
    };
    const start = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void => {
      const send = (text: string): void => {
        if (!isOpen) return;
        if (people.liveUntilMs(caller) <= clock.nowMs() || !mayStill()) {
          end();
          controller.close();
          return;
        }
        const bytes = Buffer.from(text, 'utf8');
        if (bytes.length <= (controller.desiredSize ?? 0)) {
          controller.enqueue(bytes);
          return;
        }
        end();
        // What waits is let go with the connection; a mere end would wait for the reader, too.
        c.env.incoming.socket.destroy();
      };
      const beat = (comment: string): void => {
        send(`: ${comment}\n\n`);
        if (isOpen) cancelHeartbeat = clock.after(STREAM_HEARTBEAT_MS, () => beat('alive'));
      };
      unfollow = history.follow((item) => {
        send(`event: ${event}\nid: ${item.index}\ndata: ${JSON.stringify(view(item))}\n\n`);
      });
      beat('open');
    };
    const limit = { highWaterMark: STREAM_WAITING_BYTES_MAX, size: byteLength };
    return new ReadableStream({ start, cancel: end }, limit);
  }
}

function byteLength(bytes: Uint8Array | undefined): number {
  return bytes?.length ?? 0;
}
