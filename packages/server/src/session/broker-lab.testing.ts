/** Sessions over memory instead of TLS, with a plain journal and router, for the tests here. @module */
import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Refusal, parseShared, refuse, topicMatches } from '@holdfast/protocol';
import {
  type Connect,
  FrameSplitter,
  type ProtocolLevel,
  type Qos,
  type ServerPacket,
  decodeFromServer,
  encodeConnect,
  encodeForwarded,
} from '@holdfast/protocol/mqtt';
import type {
  InboundPublish,
  MessageRef,
  OpenHandler,
  Receiver,
  RoutedMessage,
  SessionStore,
  SubscriptionOptions,
  Subscriptions,
} from './handler.ts';
import { type Lab, openLab } from './lab.testing.ts';
import { SessionTable, type SessionTableDeps } from './session-table.ts';

/** Keeps sessions in memory; what is saved is there at once, as it was when it was saved. */
export class MemoryStore implements SessionStore {
  readonly records = new Map<string, Uint8Array>();
  readonly messages = new Map<number, RoutedMessage>();
  /** Callbacks that wait, while `isHeld`. */
  readonly held: (() => void)[] = [];
  isHeld = false;
  fetchedCount = 0;

  save(id: string, encode: () => Uint8Array | undefined): void {
    const bytes = encode();
    if (bytes === undefined) this.records.delete(id);
    else this.records.set(id, bytes);
  }

  saveSoon(id: string, encode: () => Uint8Array | undefined): void {
    this.save(id, encode);
  }

  barrier(done: () => void): void {
    if (this.isHeld) this.held.push(done);
    else done();
  }

  fetch(refs: readonly MessageRef[]): Promise<(RoutedMessage | undefined)[]> {
    this.fetchedCount += refs.length;
    return Promise.resolve(refs.map(({ index }) => this.messages.get(index)));
  }
}

/** Routes by trying every subscription: the reference for what sessions see. */
export class PlainRouter implements Subscriptions {
  lastIndex = -1;
  readonly all = new Map<string, Map<Receiver, SubscriptionOptions>>();
  readonly retained = new Map<string, RoutedMessage>();

  subscribe(filter: string, receiver: Receiver, options: SubscriptionOptions): boolean {
    const receivers = this.all.get(filter) ?? new Map<Receiver, SubscriptionOptions>();
    this.all.set(filter, receivers);
    const isNew = !receivers.has(receiver);
    receivers.set(receiver, options);
    return isNew;
  }

  unsubscribe(filter: string, receiver: Receiver): boolean {
    return this.all.get(filter)?.delete(receiver) ?? false;
  }

  deliverRetained(filter: string, receiver: Receiver, options: SubscriptionOptions): void {
    for (const message of this.retained.values()) {
      if (topicMatches(filter, message.topic)) deliver(message, receiver, options, true);
    }
  }

  route(message: RoutedMessage): void {
    this.lastIndex = message.index;
    if (message.retain) this.retained.set(message.topic, message);
    for (const [filter, receivers] of this.all) {
      if (!topicMatches(parseShared(filter)?.filter ?? filter, message.topic)) continue;
      for (const [receiver, options] of receivers) {
        const isOwn = options.noLocal && receiver.principal === message.principal;
        if (!isOwn) deliver(message, receiver, options, false);
      }
    }
  }
}

function deliver(
  message: RoutedMessage,
  receiver: Receiver,
  { qos, retainAsPublished, subscriptionId }: SubscriptionOptions,
  isRetained: boolean,
): void {
  receiver.deliver({
    message,
    qos: Math.min(qos, message.qos) as Qos,
    retain: isRetained || (retainAsPublished && message.retain),
    subscriptionIds: subscriptionId === undefined ? [] : [subscriptionId],
  });
}

/** A client of the lab, at the bytes. */
export interface LabClient {
  readonly peer: Duplex;
  readonly socket: Duplex;
  /** What the server sent since the last call. */
  received(): Promise<ServerPacket[]>;
  /** Whether the server closed it. */
  isClosed(): boolean;
  write(...frames: readonly Uint8Array[]): void;
}

/** A broker without TLS and disk. */
export interface BrokerLab extends Lab {
  readonly table: SessionTable;
  readonly store: Lab['store'];
  readonly memory: MemoryStore;
  readonly router: PlainRouter;
  /** Codes of the refusals so far. */
  readonly refusals: string[];
  readonly drops: string[];
  /** Publishes whose `done` waits while `holdsPublishes`. */
  readonly held: { readonly publish: InboundPublish; readonly done: () => void }[];
  holdsPublishes: boolean;
  /** Publishes as somebody else, as if it came over the journal. */
  publish(topic: string, options?: Partial<InboundPublish>): RoutedMessage;
  /** Opens a connection of a device, which has said nothing yet. */
  dial(deviceId: string, level?: ProtocolLevel): LabClient;
  /** Opens a connection and sends CONNECT. */
  connect(deviceId: string, connect?: Partial<Connect>): LabClient;
  /** Another table over the same store, as after a restart. */
  restart(): BrokerLab;
}

/** Opens a broker whose devices may do all but subscribe to `forbidden`. */
export function openBrokerLab(t: TestContext, options: Partial<SessionTableDeps> = {}): BrokerLab {
  return openOn(t, openLab(t), new MemoryStore(), options);
}

function openOn(
  t: TestContext,
  lab: Lab,
  memory: MemoryStore,
  options: Partial<SessionTableDeps>,
): BrokerLab {
  const router = new PlainRouter();
  router.lastIndex = Math.max(-1, ...memory.messages.keys());
  const certificates = new Map<string, ReturnType<Lab['enroll']>['certificate']>();
  const store = (publish: InboundPublish, principal: string): RoutedMessage => {
    const { messageExpiryS } = publish.properties;
    const message: RoutedMessage = {
      index: memory.messages.size,
      keyRef: 1,
      principal,
      topic: publish.topic,
      payload: publish.payload.slice(),
      qos: publish.qos,
      retain: publish.retain,
      forwarded: encodeForwarded(publish.properties),
      expiresAtMs:
        messageExpiryS === undefined
          ? Number.POSITIVE_INFINITY
          : lab.clock.nowMs() + messageExpiryS * 1_000,
      detach: () => {},
    };
    memory.messages.set(message.index, message);
    router.route(message);
    return message;
  };
  const openHandler: OpenHandler = ({ principal }) =>
    Promise.resolve({
      publish: (publish, done) => {
        const finish = (): void => {
          store(publish, principal);
          done(true);
        };
        if (broker.holdsPublishes) broker.held.push({ publish, done: finish });
        else finish();
      },
      verifyWill: (will) =>
        will.topic === 'forbidden'
          ? refuse('E_AUTHORIZE_PUBLISH', 'forbidden')
          : { publish: () => void store(will, principal) },
      permitSubscription: (filter) =>
        filter === 'forbidden' ? refuse('E_AUTHORIZE_SUBSCRIBE', 'forbidden') : true,
    });
  const table = new SessionTable({
    clock: lab.clock,
    registry: lab.registry,
    gate: lab.gate,
    openHandler,
    store: memory,
    subscriptions: router,
    report: ({ refusal }) => broker.refusals.push(refusal.code),
    ratesOf: () => ({
      messagesPerSecond: 1e9,
      messageBurst: 1e9,
      bytesPerSecond: 1e9,
      byteBurst: 1e9,
    }),
    onDrop: (why) => broker.drops.push(why),
    ...options,
  });
  for (const [id, record] of memory.records) table.restore(id, record);
  t.after(() => table.close());
  const broker: BrokerLab = {
    ...lab,
    table,
    memory,
    router,
    refusals: [],
    drops: [],
    held: [],
    holdsPublishes: false,
    publish: (topic, publish = {}) =>
      store(
        {
          topic,
          payload: Buffer.from('x'),
          qos: 1,
          retain: false,
          properties: {},
          ...publish,
        },
        'somebody',
      ),
    dial(deviceId, level = 4) {
      const certificate = certificates.get(deviceId) ?? lab.enroll(deviceId).certificate;
      certificates.set(deviceId, certificate);
      const [socket, peer] = duplexPair();
      table.add(lab.admit(certificate), socket);
      return labClient(socket, peer, level);
    },
    connect(deviceId, connect = {}) {
      const client = broker.dial(deviceId, connect.protocolLevel ?? 5);
      client.write(
        encodeConnect({
          protocolLevel: 5,
          clientId: deviceId,
          cleanStart: true,
          keepAliveS: 60,
          will: undefined,
          userName: undefined,
          password: undefined,
          properties: {},
          ...connect,
        }),
      );
      return client;
    },
    restart: () => openOn(t, lab, memory, options),
  };
  return broker;
}

function labClient(socket: Duplex, peer: Duplex, level: ProtocolLevel): LabClient {
  const splitter = new FrameSplitter({ packetBytesMax: 10_000_000 });
  peer.on('error', () => {});
  return {
    peer,
    socket,
    isClosed: () => socket.writableEnded || socket.destroyed,
    write: (...frames) => {
      for (const frame of frames) peer.write(frame);
    },
    async received() {
      for (let n = 0; n < 8; n += 1) await turn();
      for (let chunk: unknown = peer.read(); chunk instanceof Uint8Array; chunk = peer.read()) {
        splitter.push(chunk);
      }
      const packets: ServerPacket[] = [];
      while (splitter.next() === true) {
        const { first, buf, start, end } = splitter;
        const packet = decodeFromServer(first, buf, start, end, level);
        if (packet instanceof Refusal) assert.fail(packet.detail);
        packets.push(packet);
      }
      return packets;
    },
  };
}
