/** The stream of bytes that a session talks over. @module */
import type { Buffer } from 'node:buffer';

/**
 * What a session needs of its transport. A `TLSSocket` is one as it is; a {@link WebSocketStream}
 * is the other. Both are ordered and lose nothing: MQTT 5 [MQTT-4.2.0-1],
 * MQTT 3.1.1 [MQTT-7.1.1-1]. Data that was on its way may still come after `pause`.
 */
export interface PeerSocket {
  /** IP address of the peer; see {@link peerAddress}. */
  readonly remoteAddress?: string | undefined;
  /** Whether anything can still be written. */
  readonly writable: boolean;
  /** Bytes written that the operating system has not taken yet. */
  readonly writableLength: number;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** `drain`: all that was written has been taken. `close`: the last event of all. */
  on(event: 'drain' | 'close', listener: () => void): unknown;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  /** @returns false when it would be better to wait for `drain`. */
  write(bytes: Uint8Array): boolean;
  /** Closes after everything written. */
  end(): unknown;
  /** Closes at once. */
  destroy(): unknown;
  pause(): unknown;
  resume(): unknown;
  isPaused(): boolean;
}

/** Who is behind a proxy, by socket: the socket itself knows the proxy only. */
const clients = new WeakMap<Pick<PeerSocket, 'remoteAddress'>, string>();

/** From here on the address of a socket is that of the client of a proxy. */
export function nameClient(socket: Pick<PeerSocket, 'remoteAddress'>, address: string): void {
  clients.set(socket, address);
}

/**
 * IP address of a peer; an IPv4 one in its own form, also on a socket that takes both. The only
 * place that tells whose address counts: behind a proxy that is believed, the client's.
 */
export function peerAddress(socket: Pick<PeerSocket, 'remoteAddress'>): string {
  return clients.get(socket) ?? (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}
