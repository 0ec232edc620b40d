/** CRLs and OCSP for everybody, read-only. @see RFC 5280 §5, RFC 6960, RFC 5019 @module */
import { Refusal } from '@holdfast/protocol';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Clock, ReportRefusal } from '../kernel/index.ts';
import {
  OCSP_ERRORS,
  OCSP_PATH,
  OCSP_REQUEST_BYTES_MAX,
  parseCrlPath,
  parseOcspRequest,
} from '../pki/index.ts';
import { peerAddress } from '../wire/index.ts';
import { Downloads } from './downloads.ts';
import { LARGE_BYTES, OCSP_PATH_CHARACTERS_MAX, REVOCATION_FRESH_MS } from './limits.ts';
import type { IssuedCrl, Revocations } from './revocations.ts';

/** What the routes need. */
export interface RevocationRoutesDeps {
  readonly clock: Clock;
  readonly report: ReportRefusal;
  readonly revocations: Revocations;
}

type RevocationContext = Context<{ Bindings: HttpBindings }>;

/** `GET /crl/…`, `POST /ocsp`, `GET /ocsp/{base64}`. */
export function revocationRoutes(deps: RevocationRoutesDeps): Hono<{ Bindings: HttpBindings }> {
  const { clock, report, revocations } = deps;
  const downloads = new Downloads(clock);
  const app = new Hono<{ Bindings: HttpBindings }>();
  const refused = (c: RevocationContext, refusal: Refusal): Response => {
    const topic = c.req.path.slice(0, OCSP_PATH_CHARACTERS_MAX);
    report({ refusal, address: addressOf(c), topic });
    if (refusal.code === 'E_ENROLL_OCSP') return ocspAnswer(c, OCSP_ERRORS.malformedRequest);
    return c.text('Too many requests. Wait a minute.\n', 429, { 'retry-after': '60' });
  };
  const answerOcsp = (c: RevocationContext, request: Uint8Array): Response => {
    const parsed = parseOcspRequest(request);
    if (parsed instanceof Refusal) return refused(c, parsed);
    // An answer to a nonce is for the one who chose it.
    const isForAll = c.req.method !== 'POST' && parsed.nonce === undefined;
    return ocspAnswer(c, revocations.ocsp(parsed), isForAll ? FRESH : 'no-store');
  };

  for (const path of ['/crl/*', `${OCSP_PATH}/*`]) {
    app.use(path, async (c, next) => {
      const tooMany = downloads.count(addressOf(c));
      return tooMany === undefined ? next() : refused(c, tooMany);
    });
  }
  app.get('/crl/:file', (c) => {
    const name = parseCrlPath(c.req.path);
    const crl = name && revocations.crl(name);
    if (crl === undefined) return c.text('There is no such list.\n', 404);
    if (isUnchanged(c, crl)) return c.body(null, 304, crlHeaders(crl));
    if (c.req.method === 'HEAD') return c.body(null, 200, crlHeaders(crl));
    const isLarge = crl.der.length > LARGE_BYTES;
    const tooMany = isLarge ? downloads.begin(addressOf(c), c.env.outgoing) : undefined;
    if (tooMany !== undefined) return refused(c, tooMany);
    return c.body(bodyOf(crl.der), 200, crlHeaders(crl));
  });
  app.post(
    OCSP_PATH,
    bodyLimit({
      maxSize: OCSP_REQUEST_BYTES_MAX,
      onError: (c) => c.text(`The request is larger than ${OCSP_REQUEST_BYTES_MAX} bytes.\n`, 413),
    }),
    async (c) => {
      const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
      if (type !== 'application/ocsp-request') {
        return c.text('Send application/ocsp-request.\n', 415);
      }
      return answerOcsp(c, new Uint8Array(await c.req.arrayBuffer()));
    },
  );
  app.get(`${OCSP_PATH}/:request{.+}`, (c) => answerOcsp(c, requestInPath(c.req.path)));
  app.all(OCSP_PATH, (c) => c.text('Use POST.\n', 405, { allow: 'POST' }));
  for (const path of ['/crl/*', `${OCSP_PATH}/*`]) {
    app.all(path, (c) => c.text('Use GET.\n', 405, { allow: 'GET, HEAD' }));
  }
  return app;
}

function ocspAnswer(c: RevocationContext, answer: Uint8Array, caching = 'no-store'): Response {
  // An OCSP error is an answer of the protocol: HTTP went well. RFC 6960 §A.1
  return c.body(bodyOf(answer), 200, {
    'content-type': 'application/ocsp-response',
    'cache-control': caching,
    'x-content-type-options': 'nosniff',
  });
}

/** What was put into a path: base64 with its `/`, `+` and `=` escaped, or not. RFC 5019 §5 */
function requestInPath(path: string): Uint8Array {
  const text = path.slice(OCSP_PATH.length + 1, OCSP_PATH.length + 1 + OCSP_PATH_CHARACTERS_MAX);
  const plain = text.replaceAll(/%(2b|2f|3d)/giu, (escape) => decodeURIComponent(escape));
  const bytes = Buffer.from(plain, 'base64');
  return bytes.toString('base64').replace(/=+$/u, '') === plain.replace(/=+$/u, '') ? bytes : NONE;
}

/** RFC 9110 §13.2.2: the time counts only when there is no entity tag. */
function isUnchanged(c: RevocationContext, crl: IssuedCrl): boolean {
  const tags = c.req.header('if-none-match');
  if (tags !== undefined) {
    return tags.split(',').some((tag) => tag.trim().replace(/^W\//u, '') === tagOf(crl));
  }
  const since = Date.parse(c.req.header('if-modified-since') ?? '');
  return since >= crl.thisUpdateMs;
}

/**
 * A list may be kept for a minute, and is then asked for by its tag: one that stays the same costs
 * nothing, and a revocation does not wait until `nextUpdate` tomorrow.
 */
function crlHeaders(crl: IssuedCrl): Record<string, string> {
  return {
    'content-type': 'application/pkix-crl',
    'cache-control': FRESH,
    etag: tagOf(crl),
    'last-modified': new Date(crl.thisUpdateMs).toUTCString(),
    'x-content-type-options': 'nosniff',
  };
}

function tagOf({ issuer, number }: IssuedCrl): string {
  return `"${issuer}-${number}"`;
}

/** The bytes as they are: nothing is copied for each of those who download them. */
function bodyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  if (!(buffer instanceof ArrayBuffer)) throw new TypeError('shared memory has no use here');
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function addressOf(c: RevocationContext): string {
  return peerAddress(c.env.incoming.socket);
}

const FRESH = `public, max-age=${REVOCATION_FRESH_MS / 1_000}, must-revalidate`;
const NONE = new Uint8Array();
