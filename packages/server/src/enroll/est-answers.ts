/** What EST requests carry, and how they are answered. @see RFC 7030 §4, RFC 8951 §3 @module */
import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { REFUSAL_CODES, type Refusal, type RefusalCode, refuse } from '@holdfast/protocol';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ReportRefusal } from '../kernel/index.ts';
import { peerAddress } from '../wire/index.ts';
import { BODY_BYTES_MAX, WRONG_WINDOW_MS } from './limits.ts';

/** A request on the enrollment listener. */
export type EstContext = Context<{ Bindings: HttpBindings }>;

/** Refuses bodies that are too large before they are read. */
export function limitBody(report: ReportRefusal): MiddlewareHandler {
  return bodyLimit({
    maxSize: BODY_BYTES_MAX,
    onError: (c) => {
      reportBody(c, report, `the body is larger than ${BODY_BYTES_MAX} bytes`);
      return c.text(`The body is larger than ${BODY_BYTES_MAX} bytes.\n`, 413);
    },
  });
}

/** Nobody is known yet: what is refused here is refused to everybody in the same words. */
function reportBody(c: EstContext, report: ReportRefusal, detail: string): void {
  const { socket } = c.env.incoming;
  const refusal = refuse('E_ENROLL_CSR', detail);
  report({ refusal, address: peerAddress(socket), topic: c.req.path });
}

/**
 * The body of a certificate request, or the answer to one that is none. The encoding is seen in
 * the body itself, so a missing header does no harm. RFC 8951 §3.1
 */
export async function requestOf(
  c: EstContext,
  report: ReportRefusal,
): Promise<Uint8Array | Response> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== undefined && type !== 'application/pkcs10') {
    reportBody(c, report, 'the Content-Type is not application/pkcs10');
    return c.text('Send a PKCS#10 request with Content-Type: application/pkcs10.\n', 415);
  }
  try {
    return new Uint8Array(await c.req.arrayBuffer());
  } catch {
    // The peer has left before the end of its body.
    reportBody(c, report, 'the body is incomplete');
    return c.text('The body is incomplete.\n', 400);
  }
}

/** The certificate that the peer has shown, whose key it has proven to hold. */
export function peerCertificate(c: EstContext): X509Certificate | undefined {
  return tlsSocketOf(c).getPeerX509Certificate();
}

/** The TLS connection of a request. */
export function tlsSocketOf(c: EstContext): TLSSocket {
  const { socket } = c.env.incoming;
  if (!(socket instanceof TLSSocket)) throw new TypeError('enrollment without TLS');
  return socket;
}

/** A certs-only message. RFC 7030 §4.1.3 */
export function certificatesAnswer(c: EstContext, message: Uint8Array): Response {
  return base64Answer(c, message, 'application/pkcs7-mime; smime-type=certs-only');
}

/**
 * DER in base64 on one line, without an end of line: strict readers take nothing else.
 * RFC 8951 §3.1, RFC 4648 §3.1
 */
export function base64Answer(c: EstContext, der: Uint8Array, type: string): Response {
  return c.body(Buffer.from(der).toString('base64'), 200, {
    'content-type': type,
    'content-transfer-encoding': 'base64',
    'cache-control': 'no-store',
  });
}

/**
 * The only place that decides what a refused peer sees.
 * @param unknownPeer - for everything that is not told: without a credential, or with a bad one.
 */
export function refusalAnswer(
  c: EstContext,
  { code, detail }: Refusal,
  unknownPeer: (c: EstContext) => Response,
): Response {
  if (IS_TOLD.has(code)) {
    return c.text(`${code}: ${detail}. ${REFUSAL_CODES[code].fix}\n`, 400);
  }
  if (code === 'E_ENROLL_RATE') {
    const seconds = String(WRONG_WINDOW_MS / 1_000);
    return c.text('Too many attempts. Wait a minute.\n', 429, { 'retry-after': seconds });
  }
  return unknownPeer(c);
}

/** Reasons that are told, because only the holder of a good credential gets to them. */
const IS_TOLD: ReadonlySet<RefusalCode> = new Set<RefusalCode>(['E_ENROLL_CSR', 'E_ENROLL_KEY']);
