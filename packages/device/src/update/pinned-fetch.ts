/** Files of the pinned server, one after the other over one connection. @module */
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { Duplex } from 'node:stream';
import { API_KEY_HEADER } from '../api-key.ts';
import { connectionError } from '../connection-error.ts';
import { type CallTarget, pinnedSocket } from '../https-call.ts';
import { CALL_MS_MAX } from '../limits.ts';
import type { FetchAnswer, FetchPort, FetchRequest } from './fetch-port.ts';

/** HTTPS to the enrollment listener: mutual TLS 1.3, the server pinned. */
export class PinnedFetch implements FetchPort {
  readonly #target: () => CallTarget;
  #agent: PinnedAgent | undefined;

  /** @param target - asked before each request: certificates are renewed, pins change. */
  constructor(target: () => CallTarget) {
    this.#target = target;
  }

  get(asked: FetchRequest): Promise<FetchAnswer> {
    asked.signal?.throwIfAborted();
    const target = this.#target();
    if (this.#agent?.isFor(target) !== true) {
      this.close();
      this.#agent = new PinnedAgent(target);
    }
    return ask(this.#agent, asked, target);
  }

  /** Ends the connection; the next request makes a new one. */
  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }
}

/** Makes connections to one server with one identity, and keeps the last for the next request. */
class PinnedAgent extends Agent {
  readonly #target: CallTarget;

  constructor(target: CallTarget) {
    super({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
    this.#target = target;
  }

  isFor({ peer, pins, identity }: CallTarget): boolean {
    const own = this.#target;
    const isSamePeer = peer.host === own.peer.host && peer.port === own.peer.port;
    const isSameIdentity = identity.certificatePem === own.identity.certificatePem;
    return isSamePeer && isSameIdentity && pins === own.pins;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    void this.#connect((error, socket) => callback?.(error, socket));
  }

  async #connect(done: (error: Error | null, socket: Duplex) => void): Promise<void> {
    try {
      done(null, await pinnedSocket(this.#target, AbortSignal.timeout(CALL_MS_MAX)));
    } catch (cause) {
      // The types want a stream beside an error; nobody looks at it.
      done(cause instanceof Error ? cause : new Error('no connection', { cause }), new Duplex());
    }
  }
}

function ask(agent: Agent, asked: FetchRequest, target: CallTarget): Promise<FetchAnswer> {
  const { peer, apiKey } = target;
  const { path, from, ifRange, ifNoneMatch, signal } = asked;
  const headers = {
    ...(apiKey !== undefined && { [API_KEY_HEADER]: apiKey.expose() }),
    ...(from !== undefined && { range: `bytes=${from}-` }),
    ...(ifRange !== undefined && { 'if-range': ifRange }),
    ...(ifNoneMatch !== undefined && { 'if-none-match': ifNoneMatch }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, host: peer.host, port: peer.port, path, headers });
    const failure = (cause: unknown): unknown =>
      signal?.aborted === true ? signal.reason : connectionError(cause, peer);
    const abort = (): void => void outgoing.destroy(new Error('stopped'));
    signal?.addEventListener('abort', abort);
    const release = (): void => signal?.removeEventListener('abort', abort);
    let isAnswered = false;
    outgoing.on('error', (cause) => {
      release();
      // A kept connection that the server closed meanwhile: the next one is a new one.
      const isStale = outgoing.reusedSocket && !isAnswered && signal?.aborted !== true;
      if (isStale) resolve(ask(agent, asked, target));
      else reject(failure(cause));
    });
    outgoing.on('response', (incoming) => {
      isAnswered = true;
      // When all of it is here, an abort must not cost the connection.
      incoming.once('close', release);
      resolve({ ...answerOf(incoming), body: bodyOf(incoming, failure) });
    });
    outgoing.end();
  });
}

function answerOf({ statusCode = 0, headers }: IncomingMessage): Omit<FetchAnswer, 'body'> {
  const dateMs = Date.parse(headers.date ?? '');
  return {
    status: statusCode,
    etag: headers.etag,
    contentRange: headers['content-range'],
    dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
  };
}

async function* bodyOf(
  incoming: IncomingMessage,
  failure: (cause: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of incoming) {
      if (chunk instanceof Uint8Array) yield chunk;
    }
  } catch (cause) {
    throw failure(cause);
  }
}
