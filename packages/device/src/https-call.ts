/** One HTTPS request on a connection of its own, bounded in time and size. @module */
import { request } from 'node:https';
import { connectionError, type Peer } from './connection-error.ts';
import { DeviceError } from './device-error.ts';
import { ANSWER_BYTES_MAX, CALL_MS_MAX } from './limits.ts';

/** Whom to trust on a connection. */
export type CallTrust =
  /** Anyone: only for reading what is then proven by other means. */
  | { readonly danger: 'provisional' }
  /** The chain must lead to this anchor and the host name match. Optionally with an identity. */
  | {
      readonly anchorPem: string;
      readonly identity?: { readonly certificatePem: string; readonly keyPem: string };
    };

/** What to ask. */
export interface Call {
  readonly peer: Peer;
  readonly trust: CallTrust;
  readonly path: string;
  /** Sent by POST; without it the method is GET. */
  readonly post?: { readonly body: string; readonly headers: Readonly<Record<string, string>> };
}

/** An answer, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Makes one call. Each has a new connection, so a verified call never reuses a provisional one.
 * @throws DeviceError of {@link connectionError}, or `E_DEVICE_ENROLL` for an endless answer
 */
export function callHttps({ peer, trust, path, post }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => reject(connectionError(cause, peer));
    const outgoing = request({
      host: peer.host,
      port: peer.port,
      path,
      method: post === undefined ? 'GET' : 'POST',
      headers: { connection: 'close', ...post?.headers },
      agent: false,
      minVersion: 'TLSv1.3',
      // Aborting, unlike the socket's idle time-out, also stops an answer that drips.
      signal: AbortSignal.timeout(CALL_MS_MAX),
      ...tlsOptions(trust),
    });
    outgoing.on('error', (cause) => fail(timeOutOf(cause)));
    outgoing.on('response', (incoming) => {
      let body = '';
      incoming.setEncoding('latin1');
      incoming.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > ANSWER_BYTES_MAX) outgoing.destroy(tooLong(peer));
      });
      incoming.on('error', fail);
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body }));
    });
    outgoing.end(post?.body);
  });
}

function tlsOptions(trust: CallTrust) {
  if ('danger' in trust) return { rejectUnauthorized: false };
  const { anchorPem, identity } = trust;
  // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED in the environment would switch it off.
  const verified = { rejectUnauthorized: true, ca: anchorPem };
  if (identity === undefined) return verified;
  return { ...verified, cert: identity.certificatePem, key: identity.keyPem };
}

/** An aborted request reports only that it was aborted. */
function timeOutOf(cause: unknown): unknown {
  if (!(cause instanceof Error) || cause.name !== 'AbortError') return cause;
  return Object.assign(new Error('no answer in time', { cause }), { code: 'ETIMEDOUT' });
}

function tooLong({ host, port }: Peer): DeviceError {
  return new DeviceError('E_DEVICE_ENROLL', {
    message: `${host}:${port}: the answer is longer than ${ANSWER_BYTES_MAX} bytes.`,
    fix: 'Check the address: this is no Holdfast enrollment listener.',
  });
}
