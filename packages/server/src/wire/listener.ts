/**
 * The only place that opens sockets. Everything it opens speaks TLS 1.3: a listener without TLS
 * cannot be expressed here, and a test forbids making one elsewhere.
 * @module
 */
import { type Server as HttpsServer, createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type TLSSocket, type TlsOptions, createServer as createTlsServer } from 'node:tls';
import { refuse } from '@holdfast/protocol';
import { type HttpBindings, getRequestListener } from '@hono/node-server';
import { Fault, type ReportRefusal, type Secret, errorCode } from '../kernel/index.ts';
import { AddressTable } from './address-table.ts';
import {
  HANDSHAKE_TIMEOUT_MS,
  HTTP_HEADERS_TIMEOUT_MS,
  HTTP_REQUEST_TIMEOUT_MS,
  SESSION_TICKET_LIFE_S,
  TCP_KEEP_ALIVE_MS,
} from './limits.ts';

/** What a server needs to prove who it is, and to read who its clients are. */
export interface TlsIdentity {
  /** PEM of the server certificate, followed by its issuing CA. */
  readonly certificateChain: string;
  /** PEM of its private key. */
  readonly privateKey: Secret<string>;
  /** PEM of the root and of the CA that issues client certificates. */
  readonly clientAnchors: string;
}

/** Where a listener listens, and as whom. */
export interface ListenerOptions {
  /** What it is called in messages: `broker`, `API`, `enrollment`. */
  readonly name: string;
  /** IP addresses to bind. */
  readonly addresses: readonly string[];
  /** Port; 0 takes a free one. */
  readonly port: number;
  readonly identity: TlsIdentity;
  readonly report: ReportRefusal;
}

/** A listener that is open. */
export interface Listener {
  readonly port: number;
  /** Stops listening and closes what is open. */
  close(): Promise<void>;
}

/** Serves HTTP requests; `env` carries the socket. */
export type Fetch = (request: Request, env: HttpBindings) => Response | Promise<Response>;

/** Opens a listener for MQTT. `onConnection` gets each connection after its TLS handshake. */
export function openMqtt(
  options: ListenerOptions,
  onConnection: (socket: TLSSocket) => void,
): Promise<Listener> {
  return openAll(options, () => {
    const server = createTlsServer(tlsOptions(options.identity, { requestCert: true }));
    // A small PUBACK must not wait for more bytes to share a TCP segment with.
    server.on('secureConnection', (socket) => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
      onConnection(socket);
    });
    return server;
  });
}

/** Opens a listener for HTTPS. Client certificates are asked for where `asksCertificate`. */
export function openHttps(
  options: ListenerOptions & { readonly asksCertificate: boolean },
  fetch: Fetch,
): Promise<Listener> {
  const handle = getRequestListener((request, env) => {
    if (!('incoming' in env) || !('socket' in env.incoming))
      throw new TypeError('no HTTP/1 socket');
    return fetch(request, env as HttpBindings);
  });
  return openAll(options, () =>
    createHttpsServer(
      {
        ...tlsOptions(options.identity, { requestCert: options.asksCertificate }),
        headersTimeout: HTTP_HEADERS_TIMEOUT_MS,
        requestTimeout: HTTP_REQUEST_TIMEOUT_MS,
      },
      (request, response) => {
        void handle(request, response);
      },
    ),
  );
}

/** IP address of a peer; an IPv4 one in its own form, also on a socket that takes both. */
export function peerAddress(socket: Socket): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}

type TlsServer = HttpsServer | ReturnType<typeof createTlsServer>;

/**
 * The certificate of a client is judged by the gate, not here: with `rejectUnauthorized` the
 * refused certificate and its address would be lost to the audit log, and a resumed session
 * would not be judged at all.
 */
function tlsOptions(identity: TlsIdentity, { requestCert }: { requestCert: boolean }): TlsOptions {
  return {
    cert: identity.certificateChain,
    key: identity.privateKey.expose(),
    ca: identity.clientAnchors,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    requestCert,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    sessionTimeout: SESSION_TICKET_LIFE_S,
  };
}

async function openAll(options: ListenerOptions, create: () => TlsServer): Promise<Listener> {
  const table = new AddressTable();
  const servers: { server: TlsServer; sockets: Set<Socket> }[] = [];
  let { port } = options;
  for (const address of options.addresses) {
    const server = create();
    const sockets = watch(server, { ...options, table });
    const bound = await listen(server, { ...options, address, port });
    if (bound === undefined) continue;
    port = bound;
    servers.push({ server, sockets });
  }
  if (servers.length === 0) throw addressFault(options);
  return {
    port,
    close: async () => {
      await Promise.all(servers.map(({ server, sockets }) => closeServer(server, sockets)));
    },
  };
}

/** Counts connections and reports failed handshakes. Returns the open sockets. */
function watch(
  server: TlsServer,
  { table, report }: { table: AddressTable; report: ReportRefusal },
): Set<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    const address = peerAddress(socket);
    const refusal = table.enter(address);
    if (refusal !== undefined) {
      report({ refusal, address });
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      table.leave(address);
    });
  });
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    reportHandshake(error, { address: peerAddress(socket), report });
  });
  return sockets;
}

function reportHandshake(
  error: Error,
  { address, report }: { address: string; report: ReportRefusal },
): void {
  const code = errorCode(error) ?? error.message;
  // A peer that opens a connection and leaves is an everyday thing, not a refusal.
  if (code === 'ECONNRESET') return;
  const isTimeout = code === 'ERR_TLS_HANDSHAKE_TIMEOUT';
  const refusal = isTimeout
    ? refuse('E_WIRE_TIMEOUT', `no handshake within ${HANDSHAKE_TIMEOUT_MS / 1_000} s`)
    : refuse('E_WIRE_HANDSHAKE', code);
  report({ refusal, address });
}

/** Binds one address. An address family that this machine lacks gives undefined. */
function listen(
  server: TlsServer,
  { name, address, port }: { name: string; address: string; port: number },
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = errorCode(error);
      if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') resolve(undefined);
      else reject(portFault(error, { name, port }));
    });
    server.listen({ host: address, port, ipv6Only: true }, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer(server: TlsServer, sockets: Set<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}

function portFault(cause: Error, { name, port }: { name: string; port: number }): Fault {
  const isTaken = errorCode(cause) === 'EADDRINUSE';
  return new Fault({
    code: isTaken ? 'E_WIRE_PORT_TAKEN' : 'E_WIRE_LISTEN',
    what: isTaken
      ? `Port ${port} (${name}) is in use by another program.`
      : `The ${name} cannot listen on port ${port}: ${cause.message}`,
    fix: `Stop the other program, or choose another port with --${name.toLowerCase()}-port.`,
    cause,
  });
}

function addressFault({ name, addresses }: ListenerOptions): Fault {
  return new Fault({
    code: 'E_WIRE_LISTEN',
    what: `The ${name} cannot listen on any of ${addresses.join(', ')}.`,
    fix: 'Check the network addresses of this machine.',
  });
}
