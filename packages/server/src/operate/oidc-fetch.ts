/** HTTPS to an OpenID provider, which may have a CA of its own. @module */
import { request as httpsRequest } from 'node:https';
import { OIDC_ANSWER_BYTES_MAX } from './limits.ts';

/** A request as the library makes it. */
export interface ProviderRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** Sends one request of the library. */
export type ProviderFetch = (url: string, request: ProviderRequest) => Promise<Response>;

/**
 * Makes the fetch of one provider: HTTPS only, and no redirects, because the library says where
 * to. The built-in `fetch` takes no trust anchors.
 */
export function providerFetch(anchorsPem: string | undefined): ProviderFetch {
  return (url, { method, headers, body, signal }) => {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const outgoing = httpsRequest(url, {
      method,
      headers,
      agent: false,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      ...(anchorsPem === undefined ? {} : { ca: anchorsPem }),
      ...(signal === undefined ? {} : { signal }),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      incoming.on('error', reject);
      incoming.on('data', (chunk: Uint8Array) => {
        bytes += chunk.length;
        if (bytes > OIDC_ANSWER_BYTES_MAX) {
          incoming.destroy(new Error(`the provider sent more than ${OIDC_ANSWER_BYTES_MAX} bytes`));
        } else {
          chunks.push(chunk);
        }
      });
      incoming.on('end', () => {
        const status = incoming.statusCode ?? 0;
        const type = incoming.headers['content-type'];
        const init = { status, headers: type === undefined ? {} : { 'content-type': type } };
        const hasBody = status >= 200 && status !== 204 && status !== 205 && status !== 304;
        resolve(new Response(hasBody ? Buffer.concat(chunks) : null, init));
      });
    });
    outgoing.end(bodyText(body));
    return promise;
  };
}

function bodyText(body: unknown): string | undefined {
  if (typeof body === 'string') return body;
  return body instanceof URLSearchParams ? body.toString() : undefined;
}
