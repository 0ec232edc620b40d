import type { RequestListener } from 'node:http';
/**
 * The only place that opens sockets. Everything it opens speaks TLS 1.3: a listener without TLS
 * cannot be expressed here, and a test forbids making one elsewhere.
 * @module
 */
import { type Server as HttpsServer, createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type TLSSocket, type TlsOptions, createServer as createTlsServer } from 'node:tls';
import { type HttpBindings, getRequestListener } from '@hono/node-server';
import { Fault, type Secret, errorCode, systemRandom } from '../kernel/index.ts';
import type { Admission } from './admission.ts';
import { refuseBadRequests } from './bad-request.ts';
import { type GuardedServer, guard } from './guard.ts';
import {
  ACCEPT_BACKLOG,
  HANDSHAKE_TIMEOUT_MS,
  HTTP_HEADERS_TIMEOUT_MS,
  HTTP_REQUEST_TIMEOUT_MS,
  SESSION_TICKET_LIFE_S,
  TCP_KEEP_ALIVE_MS,
} from './limits.ts';
import { ACME_PROTOCOL, type PublicName, publicNameOptions } from './public-name.ts';
import { type OnWebSocket, upgradeHandler } from './web-socket.ts';

const TICKET_KEY_BYTES = 48;

/** Where any port will do. */
const FREE_PORT_TRIES = 10;

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
  /** One for all listeners of the process. */
  readonly admission: Admission;
}

/** A listener that is open. */
export interface Listener {
  readonly port: number;
  /**
   * Shows another certificate, and trusts other issuers, from the next handshake on. Who is
   * connected stays so, and session tickets stay good: it is the gate that judges them.
   */
  renew(identity: TlsIdentity): void;
  /** Stops listening and closes what is open. */
  close(): Promise<void>;
}

/** Serves HTTP requests; `env` carries the socket. */
export type Fetch = (request: Request, env: HttpBindings) => Response | Promise<Response>;

/**
 * Opens a listener for MQTT.
 * @param onConnection - Gets each connection after its TLS handshake, and tells whether it lets the
 *   peer in: refused peers count towards the hold-off of their network.
 */
export function openMqtt(
  options: ListenerOptions,
  onConnection: (socket: TLSSocket) => boolean,
): Promise<Listener> {
  return openAll(options, (tls) => {
    const server = createTlsServer(tlsOptions(tls, { requestCert: true }));
    const renew = (identity: TlsIdentity): void =>
      server.setSecureContext(tlsOptions({ ...tls, identity }, { requestCert: true }));
    const guarded = guard(server, options);
    server.on('secureConnection', (socket) => {
      // A small PUBACK must not wait for more bytes to share a TCP segment with.
      socket.setNoDelay(true);
      socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
      guarded.finish(socket, { isAdmitted: onConnection(socket) });
    });
    return { server, guarded, renew };
  });
}

/** What an HTTPS listener serves. */
export interface HttpsOptions extends ListenerOptions {
  /** Whether clients are asked for a certificate; they may have none. */
  readonly asksCertificate: boolean;
  /** Takes WebSockets at `/mqtt`; without it there are none. */
  readonly onWebSocket?: OnWebSocket;
  /** A name for which it shows another certificate. */
  readonly publicName?: PublicName | undefined;
}

/** Opens a listener for HTTPS. */
export function openHttps(options: HttpsOptions, fetch: Fetch): Promise<Listener> {
  const { asksCertificate, onWebSocket, admission, publicName } = options;
  const handle = getRequestListener((request, env) => {
    if (!('incoming' in env) || !('socket' in env.incoming))
      throw new TypeError('no HTTP/1 socket');
    return fetch(request, env as HttpBindings);
  });
  return openAll(options, (tls) => {
    let present = tlsOptions(tls, { requestCert: asksCertificate });
    const server = createHttpsServer(
      {
        ...present,
        ...(publicName && publicNameOptions(publicName, () => present)),
        headersTimeout: HTTP_HEADERS_TIMEOUT_MS,
        requestTimeout: HTTP_REQUEST_TIMEOUT_MS,
      },
      oneAfterTheOther((request, response) => {
        void handle(request, response);
      }),
    );
    const guarded = guard(server, options);
    refuseBadRequests(server, admission.report);
    // People are known by their requests only, which have limits of their own.
    server.on('secureConnection', (socket) => {
      guarded.finish(socket, { isAdmitted: true });
      // The handshake was the answer. RFC 8737 §3
      if (socket.alpnProtocol === ACME_PROTOCOL) socket.end();
    });
    if (onWebSocket !== undefined) {
      const upgrade = upgradeHandler({ onWebSocket, report: admission.report });
      server.on('upgrade', (request, socket, head) => upgrade(request, socket as TLSSocket, head));
    }
    const renew = (identity: TlsIdentity): void => {
      present = tlsOptions({ ...tls, identity }, { requestCert: asksCertificate });
      server.setSecureContext(present);
    };
    return { server, guarded, renew };
  });
}

/**
 * Answers the requests of one connection one after the other: a peer may send a thousand of them in
 * one segment, and read none of the answers, which would all be in memory.
 */
function oneAfterTheOther(handle: RequestListener): RequestListener {
  const answers = new WeakMap<Socket, Promise<void>>();
  return (request, response) => {
    const before = answers.get(request.socket);
    const answered = new Promise<void>((resolve) => {
      response.once('close', resolve);
    });
    answers.set(request.socket, answered);
    if (before === undefined) handle(request, response);
    else void before.then(() => request.socket.destroyed || handle(request, response));
  };
}

type TlsServer = HttpsServer | ReturnType<typeof createTlsServer>;

/** A server of one address. */
interface OpenServer {
  readonly server: TlsServer;
  readonly guarded: GuardedServer;
  readonly renew: Listener['renew'];
}

/** What all servers of one listener share. */
interface TlsShare {
  readonly identity: TlsIdentity;
  /** Seals session tickets: they are good at each address of the listener, until it is closed. */
  readonly ticketKeys: Buffer;
}

/**
 * The certificate of a client is judged by the gate, not here: with `rejectUnauthorized` the
 * refused certificate and its address would be lost to the audit log, and a resumed session
 * would not be judged at all.
 */
function tlsOptions(
  { identity, ticketKeys }: TlsShare,
  { requestCert }: { requestCert: boolean },
): TlsOptions {
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
    ticketKeys,
  };
}

/** A port that is free at the first address may be taken at the next one: then another one is. */
async function openAll(
  options: ListenerOptions,
  create: (tls: TlsShare) => OpenServer,
): Promise<Listener> {
  for (let left = options.port === 0 ? FREE_PORT_TRIES : 1; ; left -= 1) {
    const servers: OpenServer[] = [];
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other.
      return await openEach(options, create, servers);
    } catch (error) {
      // oxlint-disable-next-line no-await-in-loop -- its ports are free again at the next try.
      await Promise.all(servers.map(closeServer));
      const isTaken = error instanceof Fault && error.code === 'E_WIRE_PORT_TAKEN';
      if (left === 1 || !isTaken) throw error;
    }
  }
}

async function openEach(
  options: ListenerOptions,
  create: (tls: TlsShare) => OpenServer,
  servers: OpenServer[],
): Promise<Listener> {
  const ticketKeys = Buffer.from(systemRandom(TICKET_KEY_BYTES));
  let { port } = options;
  for (const address of options.addresses) {
    const open = create({ identity: options.identity, ticketKeys });
    const bound = await listen(open.server, { ...options, address, port });
    if (bound === undefined) continue;
    port = bound;
    servers.push(open);
  }
  if (servers.length === 0) throw addressFault(options);
  return {
    port,
    renew: (identity) => {
      for (const { renew } of servers) renew(identity);
    },
    close: async () => {
      await Promise.all(servers.map(closeServer));
    },
  };
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
    server.listen({ host: address, port, ipv6Only: true, backlog: ACCEPT_BACKLOG }, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer({ server, guarded }: OpenServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of guarded.sockets) socket.destroy();
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
