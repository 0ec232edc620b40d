/** MQTT over WebSockets, as a stream of bytes. MQTT 5, section 6. @module */
import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { refuse } from '@holdfast/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import { type ReportRefusal, errorCode } from '../kernel/index.ts';
import { TCP_KEEP_ALIVE_MS, WEB_SOCKET_CLOSE_MS, WEB_SOCKET_MESSAGE_BYTES_MAX } from './limits.ts';
import { type PeerSocket, peerAddress } from './peer-socket.ts';

/** Where WebSockets are taken. */
const WEB_SOCKET_PATH = '/mqtt';

const SUBPROTOCOL = 'mqtt';
const CLOSE_NORMAL = 1_000;
const CLOSE_UNSUPPORTED_DATA = 1_003;

const OPTIONS = {
  noServer: true,
  clientTracking: false,
  // Compression costs memory for each connection, and telemetry is sealed or short.
  perMessageDeflate: false,
  maxPayload: WEB_SOCKET_MESSAGE_BYTES_MAX,
  closeTimeout: WEB_SOCKET_CLOSE_MS,
  handleProtocols: (): string => SUBPROTOCOL, // [MQTT-6.0.0-4]
};

/** What somebody shows who asks for a WebSocket. */
export interface WebSocketRequest {
  /** For the client certificate, if there is one. */
  readonly tls: TLSSocket;
  /** For a credential and the origin. */
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
}

/**
 * Decides on a request for a WebSocket: gives what takes its stream, or the HTTP status of a
 * refusal, which it has reported.
 */
export type OnWebSocket = (request: WebSocketRequest) => WebSocketAnswer | Promise<WebSocketAnswer>;
export type WebSocketAnswer = ((stream: PeerSocket) => void) | 401 | 403 | 429 | 503;

/** Handles the event `upgrade` of an HTTPS server. */
export type HandleUpgrade = (request: IncomingMessage, tls: TLSSocket, head: Buffer) => void;

/** Makes the handler of upgrades; without `onWebSocket` there is nothing to upgrade to. */
export function upgradeHandler({
  onWebSocket,
  report,
}: {
  onWebSocket: OnWebSocket;
  report: ReportRefusal;
}): HandleUpgrade {
  const server = new WebSocketServer(OPTIONS);
  return (request, tls, head) => {
    const address = peerAddress(tls);
    tls.on('error', ignore);
    const deny = (status: number, detail?: string): void => {
      if (detail !== undefined) report({ refusal: refuse('E_WIRE_WEB_SOCKET', detail), address });
      answer(tls, status);
    };
    if (pathOf(request) !== WEB_SOCKET_PATH) return deny(404);
    const offered = request.headers['sec-websocket-protocol']?.split(',') ?? [];
    if (!offered.some((name) => name.trim() === SUBPROTOCOL)) {
      return deny(400, 'no subprotocol "mqtt" [MQTT-6.0.0-3]');
    }
    const open = (answered: WebSocketAnswer): void => {
      if (tls.destroyed) return;
      if (typeof answered === 'number') return deny(answered);
      server.handleUpgrade(request, tls, head, (socket) => {
        tls.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
        answered(new WebSocketStream(socket, { tls, report }));
      });
    };
    const { headers } = request;
    void Promise.resolve(onWebSocket({ tls, headers, address })).then(open, () => deny(503));
  };
}

/**
 * A WebSocket as a stream of bytes: packets begin and end anywhere in its frames.
 * MQTT 5 [MQTT-6.0.0-2], MQTT 3.1.1 [MQTT-6.0.0-2]
 */
export class WebSocketStream
  extends EventEmitter<{ data: [Buffer]; error: [Error]; drain: []; close: [] }>
  implements PeerSocket
{
  readonly remoteAddress: string;
  readonly #socket: WebSocket;
  readonly #tls: TLSSocket;

  constructor(socket: WebSocket, { tls, report }: { tls: TLSSocket; report: ReportRefusal }) {
    super();
    this.#socket = socket;
    this.#tls = tls;
    this.remoteAddress = peerAddress(tls);
    const complain = (detail: string): void => {
      report({ refusal: refuse('E_WIRE_WEB_SOCKET', detail), address: this.remoteAddress });
    };
    socket.on('message', (data, isBinary) => {
      if (socket.readyState !== socket.OPEN) return;
      if (isBinary && Buffer.isBuffer(data)) {
        this.emit('data', data);
        return;
      }
      complain('a frame of text [MQTT-6.0.0-1]');
      socket.close(CLOSE_UNSUPPORTED_DATA);
    });
    // What breaks the rules of WebSockets has such a code; all else is an everyday end.
    socket.on('error', (error) => {
      const code = errorCode(error);
      if (code?.startsWith('WS_') === true) complain(code);
      if (this.listenerCount('error') > 0) this.emit('error', error);
    });
    socket.on('close', () => this.emit('close'));
    tls.on('drain', () => this.emit('drain'));
  }

  /** What it goes over. */
  get tls(): TLSSocket {
    return this.#tls;
  }

  get writable(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get writableLength(): number {
    return this.#socket.bufferedAmount;
  }

  write(bytes: Uint8Array): boolean {
    this.#socket.send(bytes, { binary: true });
    return !this.#tls.writableNeedDrain;
  }

  end(): void {
    this.#socket.close(CLOSE_NORMAL);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  isPaused(): boolean {
    return this.#socket.isPaused;
  }
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

function answer(tls: TLSSocket, status: number): void {
  const head = `HTTP/1.1 ${status} ${REASONS[status] ?? ''}`;
  tls.once('finish', () => tls.destroy());
  tls.end(`${head}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function ignore(): void {}
