/** Answers bytes that are no HTTP request. @module */
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { refuse } from '@holdfast/protocol';
import { type ReportRefusal, errorCode } from '../kernel/index.ts';
import { peerAddress } from './peer-socket.ts';

const ANSWER = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** Node would answer such a peer, too, but nobody would hear of it. */
export function refuseBadRequests(server: Server, report: ReportRefusal): void {
  const refused = new WeakSet<Duplex>();
  server.on('clientError', (error: Error, socket: Duplex) => {
    const code = errorCode(error);
    // A connection that breaks is an everyday end; the parser and its limits have these codes.
    const isOfParser = code?.startsWith('HPE_') === true || code?.startsWith('ERR_HTTP_') === true;
    if (!isOfParser) {
      socket.destroy();
      return;
    }
    // A browser keeps connections at hand on which it may ask nothing. It asks anew on another one
    // when they just end, but would show an answer that comes at the moment when it asks.
    if (socket instanceof TLSSocket && socket.bytesRead === 0) {
      socket.destroy();
      return;
    }
    // Its time may run out as well, while it is being answered.
    if (refused.has(socket)) {
      socket.destroy();
      return;
    }
    refused.add(socket);
    const address = socket instanceof TLSSocket ? peerAddress(socket) : undefined;
    report({ refusal: refuse('E_WIRE_REQUEST', code), address });
    // Behind the head of an answer it would become a part of that answer.
    if (!socket.writable || isAnswering(socket)) {
      socket.destroy();
      return;
    }
    socket.once('finish', () => socket.destroy());
    socket.end(ANSWER);
  });
}

/** Whether an answer has begun on a connection: Node keeps the present one at its socket. */
function isAnswering(socket: Duplex & { _httpMessage?: { headersSent: boolean } | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}
