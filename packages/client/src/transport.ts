/** HTTPS to one server that the trust anchor vouches for. Nothing here can turn that off. @module */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { setImmediate as turn } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { ApiErrorSchema, SESSION_COOKIE } from '@holdfast/protocol/api';
import { ApiError } from './api-error.ts';
import { REQUEST_MS_MAX, RESPONSE_BYTES_MAX } from './limits.ts';

/** Which server, and as whom. */
export interface TransportOptions {
  /** Address of the API, `https://host:port`. */
  readonly url: string;
  /** Trust anchor in PEM: the root of the server, or its issuing CA. */
  readonly anchorPem: string;
  /** API token; as a function where it may change, such as with each start of the server. */
  readonly token?: string | (() => string) | undefined;
  /** Certificate and key of an owner's app, PEM, in place of a token. */
  readonly identity?: { readonly certificatePem: string; readonly keyPem: string } | undefined;
  /** Session of a signed-in person, in place of a token. */
  readonly session?: string | undefined;
}

/** One request. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query, from `/`. */
  readonly path: string;
  /** Sent as JSON, and bytes as they are; every POST has one. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** A whole answer with a status of 2xx. */
export interface ApiResponse {
  readonly text: string;
  /** Session that the answer opened, if any. */
  readonly session: string | undefined;
}

/**
 * Lets the connections that the server has ended be noticed: after a long computation they are not
 * yet, and what is sent over one of them is lost, and may not be sent again by itself. The first
 * turn ends the one that is under way, the second one has looked at all connections.
 */
async function noticeEnds(): Promise<void> {
  await turn();
  await turn();
}

/** Sends requests. Every failure is an {@link ApiError}, except an abort, which is its reason. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #agent: Agent;
  readonly #origin: URL;

  /** @throws TypeError when the url is none, or not https. */
  constructor(options: TransportOptions) {
    this.#options = options;
    this.#origin = new URL(options.url);
    if (this.#origin.protocol !== 'https:') {
      throw new TypeError(
        `the address of the API begins with https://, this one is ${options.url}`,
      );
    }
    this.#agent = new Agent({
      ca: options.anchorPem,
      // An issuing CA is a fit anchor too: a server shows it to a client that has only its pin.
      allowPartialTrustChain: true,
      // Said although it is the default: an environment variable could change the default.
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      cert: options.identity?.certificatePem,
      key: options.identity?.keyPem,
      keepAlive: true,
    });
  }

  /** Sends a request and reads the whole answer. */
  send(request: ApiRequest): Promise<ApiResponse> {
    return this.#inTime(request, 'application/json', async (response) => {
      const text = await readText(response);
      refuseFailure(response, text);
      return { text, session: sessionOf(response) };
    });
  }

  /** Reads what is no text. */
  bytes(path: string): Promise<Uint8Array> {
    const request = { method: 'GET', path } as const;
    return this.#inTime(request, 'application/octet-stream', async (response) => {
      const bytes = await readBytes(response);
      refuseFailure(response, bytes.toString('utf8'));
      return bytes;
    });
  }

  async #inTime<T>(
    request: ApiRequest,
    accept: string,
    read: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    const deadline = AbortSignal.timeout(REQUEST_MS_MAX);
    const signal = request.signal ? AbortSignal.any([request.signal, deadline]) : deadline;
    try {
      return await read(await this.#exchange(request, accept, signal));
    } catch (error) {
      if (deadline.aborted) throw this.#unreachable('it did not answer in time', error);
      throw error;
    }
  }

  /** Opens a stream of server-sent events; resolves once the server has answered 200. */
  async open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#exchange({ method: 'GET', path }, 'text/event-stream', signal);
    if (response.statusCode !== 200) {
      refuseFailure(response, await readText(response));
      response.destroy();
      throw notTheApi(`it answered ${response.statusCode} instead of a stream`);
    }
    return response;
  }

  /** Opens a file to be read as it comes; resolves once the server has answered 200. */
  async download(path: string): Promise<IncomingMessage> {
    const signal = new AbortController().signal;
    const response = await this.#exchange({ method: 'GET', path }, '*/*', signal);
    if (response.statusCode === 200) return response;
    refuseFailure(response, await readText(response));
    response.destroy();
    throw notTheApi(`it answered ${response.statusCode} instead of a file`);
  }

  /** Sends a request whose answer comes line by line; resolves once the server has answered 200. */
  async openLines(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#exchange(request, 'application/x-ndjson', signal);
    if (response.statusCode === 200) return response;
    refuseFailure(response, await readText(response));
    response.destroy();
    throw notTheApi(`it answered ${response.statusCode} instead of lines`);
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #exchange(
    request: ApiRequest,
    accept: string,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    signal.throwIfAborted();
    if (request.method !== 'GET') await noticeEnds();
    const hasBody = request.method === 'POST' || request.method === 'PUT';
    const body = hasBody ? sentForm(request.body) : undefined;
    const outgoing = httpsRequest(new URL(request.path, this.#origin), {
      method: request.method,
      agent: this.#agent,
      signal,
      headers: {
        accept,
        ...this.#credential(),
        ...(body === undefined ? {} : bodyHeaders(body)),
      },
    });
    try {
      return await answerTo(outgoing, body);
    } catch (error) {
      signal.throwIfAborted();
      // The server ended an idle connection just as it was used again: asking twice changes nothing.
      if (outgoing.reusedSocket && request.method === 'GET' && isReset(error)) {
        return this.#exchange(request, accept, signal);
      }
      throw this.#explain(outgoing, error);
    }
  }

  #credential(): Record<string, string> {
    const { token, session } = this.#options;
    if (session !== undefined) return { cookie: `${SESSION_COOKIE}=${session}` };
    if (token === undefined) return {};
    return { authorization: `Bearer ${typeof token === 'string' ? token : token()}` };
  }

  #explain(outgoing: ClientRequest, error: unknown): ApiError {
    const { socket } = outgoing;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const isNameWrong = code === 'ERR_TLS_CERT_ALTNAME_INVALID';
    if (!isNameWrong && !(socket instanceof TLSSocket && isChainRefused(socket))) {
      return this.#unreachable(code === '' ? 'the connection failed' : code, error);
    }
    return new ApiError({
      code: 'E_CLIENT_UNTRUSTED',
      message: isNameWrong
        ? `The certificate of ${this.#origin.host} does not name ${this.#origin.hostname}.`
        : `${this.#origin.host} is not the server that your trust anchor vouches for (${code}).`,
      fix: isNameWrong
        ? `Start the server with --host ${this.#origin.hostname}, or use a name it has.`
        : 'Check the address and the trust anchor; if both are right, somebody is in between.',
      cause: error,
    });
  }

  #unreachable(why: string, cause: unknown): ApiError {
    return new ApiError({
      code: 'E_CLIENT_UNREACHABLE',
      message: `${this.#origin.host} cannot be reached: ${why}.`,
      fix: 'Check that the server runs (holdfast up), and its address.',
      cause,
    });
  }
}

/** An answer that is none of the API. */
export function notTheApi(what: string, cause?: unknown): ApiError {
  return new ApiError({
    code: 'E_CLIENT_RESPONSE',
    message: `This does not look like the Holdfast API: ${what}.`,
    fix: 'Check the address, and that client and server have the same version.',
    cause,
  });
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}

function isChainRefused(socket: TLSSocket): boolean {
  // Node sets the reason before it destroys the socket of a server that does not verify.
  const reason: unknown = socket.authorizationError;
  return reason !== null && reason !== undefined;
}

function sentForm(body: unknown): string | Uint8Array {
  return body instanceof Uint8Array ? body : JSON.stringify(body ?? {});
}

function bodyHeaders(body: string | Uint8Array): Record<string, string> {
  if (typeof body === 'string') return { 'content-type': 'application/json' };
  return { 'content-type': 'application/octet-stream', 'content-length': String(body.length) };
}

function answerTo(
  outgoing: ClientRequest,
  body: string | Uint8Array | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The whole body. @throws ApiError `E_CLIENT_RESPONSE` when it is longer. */
export async function readText(
  response: IncomingMessage,
  bytesMax: number = RESPONSE_BYTES_MAX,
): Promise<string> {
  return (await readBytes(response, bytesMax)).toString('utf8');
}

async function readBytes(
  response: IncomingMessage,
  bytesMax: number = RESPONSE_BYTES_MAX,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!(chunk instanceof Uint8Array)) continue;
    bytes += chunk.length;
    if (bytes > bytesMax) throw notTheApi(`it sent more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refuseFailure(response: IncomingMessage, text: string): void {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return;
  const parsed = ApiErrorSchema.safeParse(parseJson(text));
  if (!parsed.success) throw notTheApi(`it answered ${status} without saying why`);
  throw new ApiError({ ...parsed.data.error, status });
}

/** Reads JSON text; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sessionOf(response: IncomingMessage): string | undefined {
  const prefix = `${SESSION_COOKIE}=`;
  const cookie = response.headers['set-cookie']?.find((line) => line.startsWith(prefix));
  return cookie?.slice(prefix.length).split(';', 1)[0];
}
