/** Takes what devices send over HTTPS: the same gate, permission, verification and journal as MQTT. @module */
import { TLSSocket } from 'node:tls';
import { Refusal, refuse } from '@holdfast/protocol';
import type { HttpBindings } from '@hono/node-server';
import type { Clock, Log, ReportRefusal } from '../kernel/index.ts';
import type {
  AdmittedPeer,
  ApiKeyCheck,
  Gate,
  OpenHandler,
  RateLimiter,
  SessionHandler,
} from '../session/index.ts';
import { peerAddress } from '../wire/index.ts';
import {
  answerForm,
  answerFull,
  answerMethod,
  answerNotFound,
  answerOutcome,
  answerRate,
  answerSize,
  answerUnavailable,
  answerUnidentified,
} from './answers.ts';
import { ApiKeyHeader } from './api-key-header.ts';
import { INGEST_PREFIX, topicOf } from './ingest-topic.ts';
import {
  BATCH_BYTES_MAX,
  BATCH_LINES_MAX,
  REPORTED_PATH_CHARACTERS_MAX,
  REQUESTS_PER_DEVICE_MAX,
  RETRY_AFTER_S,
  SINGLE_BYTES_MAX,
} from './limits.ts';
import { publishAll } from './publish-all.ts';
import { BodyReader } from './read-body.ts';
import { bodyFormOf, payloadsOf } from './request-body.ts';

/** What ingest needs. */
export interface IngestDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly report: ReportRefusal;
  /** Decides who a TLS connection is, at each request. */
  readonly identify: (socket: TLSSocket) => AdmittedPeer | Refusal;
  readonly gate: Pick<Gate, 'recheck' | 'use'>;
  readonly apiKeyCheck: Pick<ApiKeyCheck, 'checkKey' | 'recheck'>;
  /** Opens the stages behind. */
  readonly open: OpenHandler;
  /** What a device may send, over MQTT and this together. */
  readonly rateOf: (peer: AdmittedPeer) => Pick<RateLimiter, 'take'>;
  /** False while the journal cannot store, or is behind. */
  readonly canStore: () => boolean;
  /** False while messages are refused for want of room. */
  readonly hasRoom: () => boolean;
}

/** One request of an admitted device. */
interface Ask {
  readonly request: Request;
  readonly socket: TLSSocket;
  readonly peer: AdmittedPeer;
  readonly path: string;
}

/** `POST /v1/d/<device>/telemetry[/<channel…>]`. */
export class Ingest {
  readonly #deps: IngestDeps;
  readonly #bodies = new BodyReader();
  readonly #apiKeys: ApiKeyHeader;
  readonly #handlers = new WeakMap<TLSSocket, Promise<SessionHandler>>();
  /** Requests in progress, by device. */
  readonly #running = new Map<string, number>();

  constructor(deps: IngestDeps) {
    this.#deps = deps;
    this.#apiKeys = new ApiKeyHeader(deps.apiKeyCheck, deps.gate);
  }

  /** Whether a request is for ingest. */
  takes(request: Request): boolean {
    return new URL(request.url).pathname.startsWith(INGEST_PREFIX);
  }

  /** Answers a request. */
  readonly fetch = async (request: Request, { incoming }: HttpBindings): Promise<Response> => {
    const { socket } = incoming;
    if (!(socket instanceof TLSSocket)) throw new TypeError('ingest without TLS');
    const path = new URL(request.url).pathname;
    const peer = deviceOnly(this.#deps.identify(socket));
    if (peer instanceof Refusal) {
      const topic = path.slice(0, REPORTED_PATH_CHARACTERS_MAX);
      const claimed = socket.getPeerX509Certificate()?.subject;
      this.#deps.report({ refusal: peer, address: peerAddress(socket), claimed, topic });
      return answerUnidentified();
    }
    const ask = { request, socket, peer, path };
    const { principal } = peer;
    const running = this.#running.get(principal) ?? 0;
    if (running >= REQUESTS_PER_DEVICE_MAX) {
      const detail = `${REQUESTS_PER_DEVICE_MAX} requests of it are being answered already`;
      return this.#refused(ask, refuse('E_INGEST_BUSY', detail), answerRate(1));
    }
    this.#running.set(principal, running + 1);
    try {
      return await this.#take(ask);
    } catch (error) {
      this.#deps.log.error({ 'error.message': String(error), 'url.path': path }, 'ingest failed');
      return answerUnavailable(RETRY_AFTER_S);
    } finally {
      this.#end(principal);
    }
  };

  async #take(ask: Ask): Promise<Response> {
    const { request, socket, peer, path } = ask;
    const { headers } = request;
    const stranger = await this.#apiKeys.refusalOf(peer, { headers, connection: socket });
    if (stranger !== undefined) {
      const isBusy = stranger.code === 'E_SESSION_LIMIT';
      const answer = isBusy ? answerUnavailable(RETRY_AFTER_S) : answerUnidentified();
      return this.#refused(ask, stranger, answer);
    }
    const topic = topicOf(path, peer.principal);
    if (topic instanceof Refusal) return this.#refused(ask, topic, answerNotFound());
    if (request.method !== 'POST') {
      const refusal = refuse('E_INGEST_INPUT', `the method ${request.method}`);
      return this.#refused(ask, refusal, answerMethod());
    }
    const form = bodyFormOf(headers);
    if (form instanceof Refusal) return this.#refused(ask, form, answerForm(FORM_FIX));
    const late = this.#refuseRate(ask);
    if (late !== undefined) return late;
    if (!this.#deps.hasRoom()) {
      const refusal = refuse('E_JOURNAL_DISK_FULL', 'it was told over HTTPS to come back');
      return this.#refused(ask, refusal, answerFull(RETRY_AFTER_S));
    }
    if (!this.#deps.canStore()) return this.#unavailable(ask, 'the journal is behind');
    const body = await this.#bodies.read(request, form.bytesMax);
    if (body instanceof Refusal) return this.#refusedBody(ask, body);
    try {
      const payloads = payloadsOf(body.bytes, form);
      if (payloads instanceof Refusal) return this.#refusedBody(ask, payloads);
      this.#rate(peer, { bytes: body.bytes.length, messages: payloads.length - 1 });
      return await this.#store(ask, { topic, payloads, properties: form.properties });
    } finally {
      body.release();
    }
  }

  async #store(
    ask: Ask,
    messages: Omit<Parameters<typeof publishAll>[1], 'clock'>,
  ): Promise<Response> {
    const { clock, gate } = this.#deps;
    const handler = await this.#handlerOf(ask);
    // The body may have taken half a minute: what was decided before it may be so no longer.
    const { request, socket, peer } = ask;
    const shownBy = { headers: request.headers, connection: socket };
    const gone = gate.recheck(peer) ?? this.#apiKeys.recheck(peer, shownBy);
    if (gone !== undefined) return this.#refused(ask, gone, answerUnidentified());
    const outcome = await publishAll(handler, { ...messages, clock });
    return outcome === undefined
      ? this.#unavailable(ask, 'the disk did not take it in time')
      : answerOutcome(outcome);
  }

  #handlerOf({ socket, peer }: Ask): Promise<SessionHandler> {
    const known = this.#handlers.get(socket);
    if (known !== undefined) return known;
    const opening = this.#deps.open(peer);
    this.#handlers.set(socket, opening);
    opening.catch(() => this.#handlers.delete(socket));
    return opening;
  }

  /** A device that owes has to wait; one that does not may go into debt by one request. */
  #refuseRate(ask: Ask): Response | undefined {
    const owedMs = this.#rate(ask.peer, { bytes: 0, messages: 0 });
    if (owedMs === 0) {
      this.#rate(ask.peer, { bytes: 0, messages: 1 });
      return undefined;
    }
    const seconds = Math.ceil(owedMs / 1_000);
    const refusal = refuse('E_SESSION_RATE', `it was told over HTTPS to wait for ${seconds} s`);
    return this.#refused(ask, refusal, answerRate(seconds));
  }

  #rate(peer: AdmittedPeer, { bytes, messages }: { bytes: number; messages: number }): number {
    return this.#deps.rateOf(peer).take(bytes, this.#deps.clock.monotonicMs(), messages);
  }

  #refusedBody(ask: Ask, refusal: Refusal): Response {
    if (refusal.code === 'E_INGEST_BUSY') {
      return this.#refused(ask, refusal, answerUnavailable(RETRY_AFTER_S));
    }
    const isSize = refusal.code === 'E_INGEST_SIZE';
    return this.#refused(ask, refusal, isSize ? answerSize(SIZE_FIX) : answerForm(FORM_FIX));
  }

  #unavailable(ask: Ask, detail: string): Response {
    const refusal = refuse('E_JOURNAL_UNAVAILABLE', detail);
    return this.#refused(ask, refusal, answerUnavailable(RETRY_AFTER_S));
  }

  #refused({ peer, path }: Ask, refusal: Refusal, answer: Response): Response {
    const { principal, address } = peer;
    const topic = path.slice(0, REPORTED_PATH_CHARACTERS_MAX);
    this.#deps.report({ refusal, principal, address, topic });
    return answer;
  }

  #end(principal: string): void {
    const running = (this.#running.get(principal) ?? 1) - 1;
    if (running > 0) this.#running.set(principal, running);
    else this.#running.delete(principal);
  }
}

/** The gate admits apps of owners, too; they send nothing over HTTPS. */
function deviceOnly(peer: AdmittedPeer | Refusal): AdmittedPeer | Refusal {
  if (peer instanceof Refusal || peer.kind === 'device') return peer;
  return refuse('E_SESSION_PURPOSE', `${peer.principal} is no device`);
}

const FORM_FIX =
  'Send one signed JSON object as application/json, one on each line as application/x-ndjson, ' +
  'or any bytes with x-holdfast-sig, x-holdfast-kid and x-holdfast-ctr.';
const SIZE_FIX =
  `At most ${SINGLE_BYTES_MAX} bytes a message, ` +
  `and ${BATCH_LINES_MAX} lines and ${BATCH_BYTES_MAX} bytes a batch.`;
