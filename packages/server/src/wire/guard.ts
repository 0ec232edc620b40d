/** Puts {@link Admission} between a TLS server and the connections that it accepts. @module */
import type { Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { refuse } from '@holdfast/protocol';
import { errorCode } from '../kernel/index.ts';
import type { Admission } from './admission.ts';
import type { Arrival } from './arrival.ts';
import { HANDSHAKE_TIMEOUT_MS } from './limits.ts';
import { nameClient, peerAddress } from './peer-socket.ts';

/** A server whose connections wait for their turn. */
export interface GuardedServer {
  /** Everything that is open, at whichever stage. */
  readonly sockets: ReadonlySet<Socket>;
  /** Tells what became of a handshake that is done: whether its peer was let in. */
  finish(socket: TLSSocket, outcome: { isAdmitted: boolean }): void;
}

/**
 * Takes over what a TLS server accepts. Node starts a handshake on the event `connection`: its own
 * listener is called here when the turn of a connection has come, and at no other time.
 */
export function guard(
  server: TlsServer,
  { name, admission }: { name: string; admission: Admission },
): GuardedServer {
  const sockets = new Set<Socket>();
  // Node gives no way from a TLS socket to what it was made of, but both know their peer.
  const handshakes = new Map<string, Arrival>();
  const starters = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (raw: Socket) => {
    const key = peerOf(raw);
    const startTls = (started: Arrival): void => {
      handshakes.set(key, started);
      for (const start of starters) start.call(server, raw);
    };
    const arrival = admission.take(raw, { door: name, startTls });
    if (arrival === undefined) return;
    sockets.add(raw);
    raw.on('close', () => {
      sockets.delete(raw);
      if (handshakes.get(key) === arrival) handshakes.delete(key);
    });
  });
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const address = handshakes.get(peerOf(socket))?.address ?? peerAddress(socket);
    reportHandshake(error, { address, admission });
  });
  if (admission.hasProxies) {
    // Before all others, as they ask for the address.
    server.prependListener('secureConnection', (socket) => {
      const arrival = handshakes.get(peerOf(socket));
      if (arrival?.origin === 'client') nameClient(socket, arrival.address);
    });
  }
  return {
    sockets,
    finish(socket, outcome) {
      const key = peerOf(socket);
      const arrival = handshakes.get(key);
      handshakes.delete(key);
      if (arrival !== undefined) admission.finish(arrival, outcome);
    },
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function reportHandshake(
  error: Error,
  { address, admission }: { address: string; admission: Admission },
): void {
  const code = errorCode(error) ?? error.message;
  // A peer that opens a connection and leaves is an everyday thing. Many of them are a flood,
  // which is held off and reported as such.
  if (code === 'ECONNRESET') return;
  const isTimeout = code === 'ERR_TLS_HANDSHAKE_TIMEOUT';
  const refusal = isTimeout
    ? refuse('E_WIRE_TIMEOUT', `no handshake within ${HANDSHAKE_TIMEOUT_MS / 1_000} s`)
    : refuse('E_WIRE_HANDSHAKE', code);
  admission.report({ refusal, address });
}
