/** One HTTPS request on a connection of its own, bounded in time and size. @module */
import type { X509Certificate } from 'node:crypto';
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { API_KEY_HEADER, type ApiKey } from './api-key.ts';
import { connectionError, type Peer } from './connection-error.ts';
import { DeviceError } from './device-error.ts';
import type { DeviceIdentity } from './identity-files.ts';
import { ANSWER_BYTES_MAX, CALL_MS_MAX } from './limits.ts';
import { openPinnedSocket, type PinnedTarget } from './pinned-socket.ts';

/** Whom to trust on a connection. */
export type CallTrust =
  /** Anyone: only for reading what is then proven by other means. */
  | { readonly danger: 'provisional' }
  /** The chain must lead to this anchor and the host name match. Optionally with an identity. */
  | {
      readonly anchorPem: string;
      readonly identity?: Pick<DeviceIdentity, 'certificatePem' | 'tlsKey'>;
    };

/** What to ask. */
export interface Request {
  readonly path: string;
  /** Sent by POST; without it the method is GET. */
  readonly post?: { readonly body: string; readonly headers: Readonly<Record<string, string>> };
}

/** What to ask whom. */
export interface Call extends Request {
  readonly peer: Peer;
  readonly trust: CallTrust;
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
export function callHttps({ peer, trust, ...asked }: Call): Promise<Answer> {
  const { host, port } = peer;
  const outgoing = request({
    ...requestOptions(asked),
    host,
    port,
    agent: false,
    minVersion: 'TLSv1.3',
    // Aborting, unlike the socket's idle time-out, also stops an answer that drips.
    signal: AbortSignal.timeout(CALL_MS_MAX),
    ...tlsOptions(trust),
  });
  return answerTo(outgoing, { peer, body: asked.post?.body });
}

/** A pinned server, and what a device shows it beside its certificate. */
export interface CallTarget extends PinnedTarget {
  readonly apiKey?: ApiKey | undefined;
}

/** An answer of the pinned server. */
export interface PinnedAnswer extends Answer {
  /** What the server showed. */
  readonly serverCertificate: X509Certificate;
}

/**
 * Makes one call to the pinned server, as a device. No byte of the request is written before the
 * server is accepted.
 * @throws DeviceError as {@link callHttps}, and `E_DEVICE_PIN`
 */
export async function callPinned(target: CallTarget, asked: Request): Promise<PinnedAnswer> {
  const { peer, apiKey } = target;
  const signal = AbortSignal.timeout(CALL_MS_MAX);
  const socket = await pinnedSocket(target, signal);
  const serverCertificate = socket.getPeerX509Certificate();
  if (serverCertificate === undefined) throw new TypeError('an accepted server has a certificate');
  const options = { ...requestOptions(asked, apiKey), host: peer.host, port: peer.port, signal };
  const outgoing = request({ ...options, createConnection: () => socket });
  const answer = await answerTo(outgoing, { peer, body: asked.post?.body });
  return { ...answer, serverCertificate };
}

/** Resolves with a socket on which nothing was written yet. */
export function pinnedSocket(target: PinnedTarget, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => reject(connectionError(cause, target.peer));
    const onAbort = (): void => void socket.destroy(timeOut());
    const socket = openPinnedSocket(target, () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', fail);
      socket.off('close', onClose);
      resolve(socket);
    });
    const onClose = (): void => fail(new Error('closed during the handshake'));
    signal.addEventListener('abort', onAbort);
    socket.on('error', fail);
    socket.on('close', onClose);
  });
}

function requestOptions({ path, post }: Request, apiKey?: ApiKey) {
  const method = post === undefined ? 'GET' : 'POST';
  const shown = apiKey === undefined ? {} : { [API_KEY_HEADER]: apiKey.expose() };
  return { path, method, headers: { connection: 'close', ...shown, ...post?.headers } };
}

function answerTo(
  outgoing: ClientRequest,
  { peer, body: sent }: { readonly peer: Peer; readonly body: string | undefined },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => reject(connectionError(timeOutOf(cause), peer));
    outgoing.on('error', fail);
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
    outgoing.end(sent);
  });
}

function tlsOptions(trust: CallTrust) {
  if ('danger' in trust) return { rejectUnauthorized: false };
  const { anchorPem, identity } = trust;
  // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED in the environment would switch it off.
  const verified = { rejectUnauthorized: true, ca: anchorPem };
  if (identity === undefined) return verified;
  return { ...verified, cert: identity.certificatePem, ...identity.tlsKey() };
}

/** An aborted request reports only that it was aborted. */
function timeOutOf(cause: unknown): unknown {
  if (!(cause instanceof Error) || cause.name !== 'AbortError') return cause;
  return timeOut(cause);
}

function timeOut(cause?: unknown): Error {
  return Object.assign(new Error('no answer in time', { cause }), { code: 'ETIMEDOUT' });
}

function tooLong({ host, port }: Peer): DeviceError {
  return new DeviceError('E_DEVICE_ENROLL', {
    message: `${host}:${port}: the answer is longer than ${ANSWER_BYTES_MAX} bytes.`,
    fix: 'Check the address: this is no Holdfast enrollment listener.',
  });
}
