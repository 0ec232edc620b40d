/**
 * The broker as the sequences need it: sessions and routing as they are, over mutual TLS 1.3, but
 * any client id and any topic for one certificate, nothing verified and nothing on the disk.
 * @module
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TLSSocket, createServer } from 'node:tls';
import { refuse } from '@holdfast/protocol';
import { encodeForwarded } from '@holdfast/protocol/mqtt';
import { Router } from '../../packages/server/src/route/index.ts';
import {
  type AuthenticationStep,
  Gate,
  type InboundPublish,
  type OpenHandler,
  type RoutedMessage,
  SESSION_LIMITS,
  type SessionStore,
  SessionTable,
} from '../../packages/server/src/session/index.ts';
import type { TestCertificates } from './certificates.ts';
import { SteppedClock } from './clock.ts';

/** A broker that runs. */
export interface ConformanceBroker {
  readonly port: number;
  /** Puts its clock forward. */
  advance(ms: number): void;
  /** Resolves once the connection from this port of the client is there: its end sees it first. */
  arrived(clientPort: number): Promise<void>;
  /** Resolves once that connection is closed on this side too. */
  gone(clientPort: number): Promise<void>;
  close(): void;
}

/** The limits that the CONNACK of the sequences tells. */
const LIMITS = {
  ...SESSION_LIMITS,
  topicAliasMax: 10,
  packetBytesMax: 2_000_000,
  receiveMax: 20,
  keepAliveMaxS: 65_535,
  sessionExpiryMaxS: 0xff_ff_ff_ff,
};

/** One method of enhanced authentication, for what the standard says of all. */
const AUTHENTICATORS = new Map([['challenge', { begin: () => ({ step: challenge }) }]]);

const RATES = {
  messagesPerSecond: 1e9,
  messageBurst: 1e9,
  bytesPerSecond: 1e9,
  byteBurst: 1e9,
};

/** Starts a broker on a free port, with nothing in it. */
export async function startConformanceBroker({
  ca,
  server: identity,
}: TestCertificates): Promise<ConformanceBroker> {
  const clock = new SteppedClock();
  const { table, gate } = openTable(clock);
  const arrivals = new Arrivals();
  let count = 0;
  const server = createServer(
    {
      ...identity,
      ca,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      noDelay: true,
    },
    (socket) => {
      count += 1;
      const peer = { principal: `client ${count}`, address: '::1', liveUntilMs: () => Infinity };
      table.add(gate.admitPerson(peer), socket);
      arrivals.add(socket);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    advance: (ms) => clock.advance(ms),
    arrived: (port) => arrivals.arrived(port),
    gone: (port) => arrivals.gone(port),
    close() {
      table.close();
      server.close();
    },
  };
}

/** Connections by the port of the client. */
class Arrivals {
  readonly #sockets = new Map<number, TLSSocket>();
  readonly #waiting = new Map<number, () => void>();

  add(socket: TLSSocket): void {
    const port = socket.remotePort ?? 0;
    this.#sockets.set(port, socket);
    socket.once('close', () => this.#sockets.delete(port));
    this.#waiting.get(port)?.();
    this.#waiting.delete(port);
  }

  arrived(port: number): Promise<void> {
    if (this.#sockets.has(port)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.set(port, resolve);
    });
  }

  async gone(port: number): Promise<void> {
    const socket = this.#sockets.get(port);
    if (socket !== undefined) await once(socket, 'close');
  }
}

function openTable(clock: SteppedClock): { table: SessionTable; gate: Gate } {
  const messages = new Map<number, RoutedMessage>();
  const router = new Router({ clock, store: { saveRetained: () => {} } });
  const store: SessionStore = {
    save: () => {},
    saveSoon: () => {},
    barrier: (done) => void setImmediate(done),
    fetch: (refs) => Promise.resolve(refs.map(({ index }) => messages.get(index))),
  };
  const openHandler: OpenHandler = ({ principal }) => {
    const route = (publish: InboundPublish): number => {
      const nowMs = clock.nowMs();
      const message = messageOf(publish, { index: messages.size, principal, nowMs });
      messages.set(message.index, message);
      return router.routeMessage(message).receivers;
    };
    return Promise.resolve({
      // As on the way of the product: QoS 2 is received first, the others are routed first.
      publish: (publish, done) =>
        void setImmediate(() => {
          if (publish.qos === 2) done(true);
          const receivers = route(publish);
          if (publish.qos !== 2) done(receivers > 0);
        }),
      verifyWill: (will) => ({ publish: () => void route(will) }),
      permitSubscription: () => true,
    });
  };
  const gate = new Gate({
    // Nobody is admitted as a device.
    registry: undefined as never,
    check: () => refuse('E_SESSION_FOREIGN_CA', 'not a device'),
  });
  const table = new SessionTable({
    clock,
    limitsOf: () => LIMITS,
    registry: { onChange: () => () => {} },
    gate: { recheck: () => undefined, recheckDevice: () => undefined, use: () => undefined },
    openHandler,
    store,
    subscriptions: router,
    report: () => {},
    onDrop: () => {},
    ratesOf: () => RATES,
    authenticators: AUTHENTICATORS,
    nameSession: (_, clientId) =>
      clientId === ''
        ? refuse('E_SESSION_CLIENT_ID', 'the server assigns none')
        : { id: clientId, mayPersist: true },
  });
  return { table, gate };
}

function messageOf(
  { payload, topic, qos, retain, properties }: InboundPublish,
  { index, principal, nowMs }: { index: number; principal: string; nowMs: number },
): RoutedMessage {
  const { messageExpiryS = Number.POSITIVE_INFINITY } = properties;
  return {
    index,
    keyRef: 1,
    principal,
    topic,
    payload: payload.slice(),
    qos,
    retain,
    forwarded: encodeForwarded(properties),
    expiresAtMs: nowMs + messageExpiryS * 1_000,
    detach: () => {},
  };
}

/** The client must say `me`, at once or when it is asked `who`. */
function challenge(data: Uint8Array | undefined): Promise<AuthenticationStep> {
  const said = Buffer.from(data ?? []).toString();
  if (said === 'me') return Promise.resolve({ type: 'done', data: undefined });
  if (said === '') return Promise.resolve({ type: 'continue', data: Buffer.from('who') });
  return Promise.resolve(refuse('E_SESSION_FOREIGN_CA', 'somebody else'));
}
