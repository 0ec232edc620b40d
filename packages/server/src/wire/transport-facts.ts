/** How the stream of a session is secured, for people who look at a connection. @module */
import { TLSSocket } from 'node:tls';
import type { PeerSocket } from './peer-socket.ts';
import { WebSocketStream } from './web-socket.ts';

/** What is known of a transport. */
export interface TransportFacts {
  readonly transport: 'TLS' | 'WebSocket';
  /** Such as `TLSv1.3`. */
  readonly tls?: string | undefined;
  /** Such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher?: string | undefined;
}

/** Tells how a stream is secured. */
export function transportFacts(stream: PeerSocket): TransportFacts {
  const isWebSocket = stream instanceof WebSocketStream;
  const transport = isWebSocket ? 'WebSocket' : 'TLS';
  const socket: unknown = isWebSocket ? stream.tls : stream;
  if (!(socket instanceof TLSSocket)) return { transport };
  // A socket that is closed knows neither any more, whatever its types say.
  const cipher = socket.getCipher() as ReturnType<TLSSocket['getCipher']> | null | undefined;
  return { transport, tls: socket.getProtocol() ?? undefined, cipher: cipher?.standardName };
}
