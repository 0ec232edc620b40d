/** One JSON request over TLS to a service that is configured, with bounds. @module */

/** The request failed; the message names the status or the error code, and nothing of a body. */
export class HttpsFailure extends Error {
  /** Undefined when there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.name = 'HttpsFailure';
    this.status = status;
  }
}

/** What is sent. */
export interface PostOptions {
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM; without it the authorities of the machine count. */
  readonly ca: string | undefined;
}

/** Sends JSON and parses the answer. Redirects are not followed. @throws HttpsFailure */
export async function postJson(url: URL, { body, headers, ca }: PostOptions): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  if (url.protocol !== 'https:') throw new HttpsFailure('only https: is spoken');
  // It takes 60 ms to load, and hardly anybody asks: each thread and each command would pay for it.
  const { request } = await import('node:https');
  const text = JSON.stringify(body);
  const outgoing = request(
    url,
    {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      },
      minVersion: 'TLSv1.2',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      // A call at the start and at changes of custody: no connection is worth keeping.
      agent: false,
      ...(ca !== undefined && { ca }),
    },
    (incoming) => {
      const parts: Buffer[] = [];
      let size = 0;
      incoming.on('data', (part: Buffer) => {
        size += part.length;
        if (size > ANSWER_BYTES_MAX) outgoing.destroy(new Error('the answer is too long'));
        else parts.push(part);
      });
      incoming.on('error', (error) => reject(new HttpsFailure(reasonOf(error))));
      incoming.on('end', () => {
        const status = incoming.statusCode ?? 0;
        if (status !== 200) return reject(new HttpsFailure(`status ${status}`, status));
        try {
          return resolve(JSON.parse(Buffer.concat(parts).toString('utf8')));
        } catch {
          return reject(new HttpsFailure('the answer is no JSON', status));
        }
      });
    },
  );
  outgoing.on('error', (error) => reject(new HttpsFailure(reasonOf(error))));
  outgoing.end(text);
  return promise;
}

function reasonOf(error: Error): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return `no answer within ${REQUEST_TIMEOUT_MS / 1_000} s`;
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

const REQUEST_TIMEOUT_MS = 30_000;
/** An encrypted key is some hundred bytes. */
const ANSWER_BYTES_MAX = 65_536;
