/** Streams of server-sent events: each new item of a history as it becomes durable. @module */
import { refuse } from '@holdfast/protocol';
import type { Context } from 'hono';
import type { CancelTimer } from '../kernel/index.ts';
import type { Resource } from '../policy/index.ts';
import type { Caller } from '../registry/index.ts';
import type { History } from '../telemetry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import {
  STREAMS_MAX,
  STREAMS_OF_PERSON_MAX,
  STREAM_HEARTBEAT_MS,
  STREAM_WAITING_BYTES_MAX,
} from './limits.ts';

/** What a stream sends. */
export interface StreamSource<T extends { readonly index: number }> {
  readonly event: string;
  readonly history: History<T>;
  readonly view: (item: T) => object;
  /** What it is a stream of, for the policy. */
  readonly resource: () => Resource | undefined;
}

/** A stream, with how long it goes on. */
export interface StreamWhile<T extends { readonly index: number }> extends Omit<
  StreamSource<T>,
  'resource'
> {
  /** Asked before each word that is sent. */
  readonly mayStill: () => boolean;
  /** Calls its argument when `mayStill` may say something else now; gives how to stop that. */
  readonly watch?: (recheck: () => void) => () => void;
  readonly onEnd?: () => void;
}

const HEADERS = { 'Content-Type': 'text/event-stream; charset=utf-8' };

/** A stream of events of several kinds. */
export interface EventSource {
  /** Asked before each word that is sent. */
  readonly mayStill: () => boolean;
  /** Begins to send events; gives how to stop that. */
  readonly begin: (send: SendEvent) => () => void;
  /** Calls its argument when `mayStill` may say something else now; gives how to stop that. */
  readonly watch?: ((recheck: () => void) => () => void) | undefined;
  readonly onEnd?: (() => void) | undefined;
}

/** Sends an event; `data` is JSON on one line. */
export type SendEvent = (event: string, data: string, id?: number) => void;

/** The open streams of one server. */
export class Streams {
  readonly #deps: ApiDeps;
  readonly #max: number;
  #count = 0;
  /** By principal. */
  readonly #counts = new Map<string, number>();

  constructor(deps: ApiDeps, max: number = STREAMS_MAX) {
    this.#deps = deps;
    this.#max = max;
  }

  /**
   * Answers with a stream that lasts until the reader leaves, lags behind, or loses its right.
   * Refuses `E_OPERATE_RATE` when too many are open.
   */
  open<T extends { readonly index: number }>(
    c: Context<ApiEnv>,
    { resource, ...source }: StreamSource<T>,
  ): Response {
    const [caller, access] = [c.get('caller'), c.get('access')];
    const { clock, people } = this.#deps;
    const mayStill = (): boolean => {
      const now = resource();
      const isPermitted = now !== undefined && access.stillPermits(now);
      return isPermitted && people.liveUntilMs(caller) > clock.nowMs();
    };
    return this.openWhile(c, { ...source, mayStill });
  }

  /** As {@link open}, for a reader who is no person. */
  openWhile<T extends { readonly index: number }>(
    c: Context<ApiEnv>,
    { event, history, view, ...rest }: StreamWhile<T>,
  ): Response {
    const begin = (send: SendEvent): (() => void) =>
      history.follow((item) => send(event, JSON.stringify(view(item)), item.index));
    return this.openEvents(c, { ...rest, begin });
  }

  /** As {@link open}, for events of several kinds. */
  openEvents(c: Context<ApiEnv>, source: EventSource): Response {
    if (this.#count >= this.#max) {
      throw new RefusedRequest(refuse('E_OPERATE_RATE', `${this.#max} streams are open`));
    }
    const who = personOf(c);
    const own = this.#counts.get(who ?? '') ?? 0;
    if (own >= STREAMS_OF_PERSON_MAX) {
      throw new RefusedRequest(refuse('E_OPERATE_RATE', `${own} streams of ${who} are open`));
    }
    // Nobody would ever read the body of an answer to HEAD, nor close it.
    if (c.req.method === 'HEAD') return c.body(null, 200, HEADERS);
    this.#count += 1;
    if (who !== undefined) this.#counts.set(who, own + 1);
    const onEnd = (): void => {
      this.#count -= 1;
      if (who !== undefined) this.#giveBack(who);
      source.onEnd?.();
    };
    return c.body(this.#body(c, { ...source, onEnd }), 200, HEADERS);
  }

  #giveBack(who: string): void {
    const left = (this.#counts.get(who) ?? 1) - 1;
    if (left > 0) this.#counts.set(who, left);
    else this.#counts.delete(who);
  }

  #body(
    c: Context<ApiEnv>,
    { mayStill, begin, watch, onEnd }: EventSource,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { clock } = this.#deps;
    let stop = (): void => {};
    let unwatch = (): void => {};
    let cancelHeartbeat: CancelTimer = () => {};
    let isOpen = true;
    const end = (): void => {
      if (!isOpen) return;
      isOpen = false;
      stop();
      unwatch();
      cancelHeartbeat();
      onEnd?.();
    };
    const start = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void => {
      const endUnlessPermitted = (): void => {
        if (!isOpen || mayStill()) return;
        end();
        controller.close();
      };
      const send = (text: string): void => {
        endUnlessPermitted();
        if (!isOpen) return;
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
      if (watch !== undefined) unwatch = watch(endUnlessPermitted);
      beat('open');
      if (!isOpen) return;
      stop = begin((event, data, id) => {
        const place = id === undefined ? '' : `id: ${id}\n`;
        send(`event: ${event}\n${place}data: ${data}\n\n`);
      });
      if (!isOpen) stop();
    };
    const limit = { highWaterMark: STREAM_WAITING_BYTES_MAX, size: byteLength };
    return new ReadableStream({ start, cancel: end }, limit);
  }
}

/** The person who asks. Apps are counted elsewhere, and whoever has the data folder is not. */
function personOf(c: Context<ApiEnv>): string | undefined {
  const caller = c.get('caller') as Caller | undefined;
  return caller?.credential === 'local' ? undefined : caller?.principal;
}

function byteLength(bytes: Uint8Array | undefined): number {
  return bytes?.length ?? 0;
}
