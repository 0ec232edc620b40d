/** An MQTT server that does what a test tells it, on node:tls with our own codec. @module */
import { type KeyObject, createHmac } from 'node:crypto';
import { type AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { type TLSSocket, createServer } from 'node:tls';
import { Refusal, prepareSignedJson } from '@holdfast/protocol';
import {
  type ClientPacket,
  type ProtocolLevel,
  type Publish,
  FrameSplitter,
  REASON,
  decodeFromClient,
  encodeAuth,
  encodeConnack,
  encodePingresp,
  encodePuback,
  encodePublish,
  encodeSuback,
} from '@holdfast/protocol/mqtt';
import type { ScramServer } from './scram-server.ts';
import type { Identity, TestPki } from './test-pki.ts';

/** One connection of a device. */
export interface BrokerConnection {
  readonly socket: TLSSocket;
  /** Of the client certificate. */
  readonly fingerprint: string | undefined;
  /** What its CONNECT said. */
  level: ProtocolLevel;
  /** All packets so far, in order. */
  readonly packets: ClientPacket[];
  send(packet: Uint8Array): void;
  acknowledge(publish: Publish): void;
  command(command: { name: string; payload: string; packetId: number }): void;
}

/** How the broker answers by itself. All default to true. */
export interface BrokerScript {
  answersConnect?: boolean;
  acknowledges?: boolean;
  answersPings?: boolean;
  connackCode?: 0 | 5 | 0x87;
  subackCode?: 1 | 0x80;
  /** Demands an API key; see {@link scramServer}. */
  scram?: ScramServer;
  /** What a CONNACK of MQTT 5 says. */
  receiveMax?: number;
  serverKeepAliveS?: number;
  pubackCode?: 0x97;
}

/** A running broker. */
export interface ScriptedBroker {
  readonly port: number;
  readonly script: BrokerScript;
  readonly connections: BrokerConnection[];
  /** Bytes that arrived inside TLS, of all connections. */
  bytesReceived: number;
  /** Resolves with the first packet, of any connection, that the test accepts. */
  packet<T extends ClientPacket['type']>(
    type: T,
    accept?: (packet: Extract<ClientPacket, { type: T }>) => boolean,
  ): Promise<Extract<ClientPacket, { type: T }>>;
  /** Resolves when no connection is open, not even one without TLS. */
  idle(): Promise<void>;
  /** All PUBLISH packets of one connection, or of all. */
  publishes(connection?: BrokerConnection): Publish[];
}

/** Starts a broker that asks for client certificates of the PKI. */
export async function startBroker(
  t: TestContext,
  pki: TestPki,
  options: BrokerScript & { readonly server?: Identity; readonly chainPem?: string } = {},
): Promise<ScriptedBroker> {
  const { server: identity = pki.server, chainPem = pki.issuer.pem, ...script } = options;
  const waiters = new Set<(packet: ClientPacket) => void>();
  const connections: BrokerConnection[] = [];
  const closings: Promise<void>[] = [];
  const server = createServer({
    key: identity.keyPem,
    cert: identity.pem + chainPem,
    ca: pki.root.pem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    noDelay: true,
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const broker: ScriptedBroker = {
    port: (server.address() as AddressInfo).port,
    script,
    connections,
    bytesReceived: 0,
    packet: (type, accept = () => true) =>
      new Promise((resolve) => {
        const look = (packet: ClientPacket): void => {
          if (packet.type !== type) return;
          const found = packet as Extract<ClientPacket, { type: typeof type }>;
          if (!accept(found)) return;
          waiters.delete(look);
          resolve(found);
        };
        waiters.add(look);
        for (const packet of connections.flatMap(({ packets }) => packets)) {
          if (waiters.has(look)) look(packet);
        }
      }),
    idle: async () => {
      await Promise.all(closings);
    },
    publishes: (connection) =>
      (connection === undefined ? connections : [connection])
        .flatMap(({ packets }) => packets)
        .filter((packet) => packet.type === 'publish'),
  };
  const sockets = new Set<TLSSocket>();
  server.on('tlsClientError', () => {});
  server.on('connection', (socket) => {
    closings.push(
      new Promise((resolve) => {
        socket.on('close', () => resolve());
      }),
    );
  });
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    const connection = connectionOn(socket);
    connections.push(connection);
    const splitter = new FrameSplitter({ packetBytesMax: 100_000 });
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      broker.bytesReceived += chunk.length;
      splitter.push(chunk);
      while (splitter.next() === true) {
        const { first, buf, start, end } = splitter;
        const packet = decodeFromClient(first, buf, start, end, connection.level);
        if (packet instanceof Refusal) throw new Error(packet.detail);
        if (packet.type === 'connect') connection.level = packet.protocolLevel;
        connection.packets.push(packet);
        answer(connection, packet, script);
        for (const look of waiters) look(packet);
      }
    });
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return broker;
}

function connectionOn(socket: TLSSocket): BrokerConnection {
  const send = (packet: Uint8Array): void => {
    socket.write(packet);
  };
  const connection: BrokerConnection = {
    socket,
    fingerprint: socket.getPeerX509Certificate()?.fingerprint256,
    level: 4,
    packets: [],
    send,
    acknowledge: ({ packetId }) => send(encodePuback(packetId ?? 0)),
    command: ({ name, payload, packetId }) => {
      const topic = `d/thermostat-1/cmd/${name}`;
      const bytes = Buffer.from(payload, 'utf8');
      send(encodePublish(topic, bytes, { qos: 1, packetId }, connection.level));
    },
  };
  return connection;
}

function answer(connection: BrokerConnection, packet: ClientPacket, script: BrokerScript): void {
  const { level } = connection;
  const { scram } = script;
  if (packet.type === 'connect' && scram !== undefined) {
    const { authMethod, authData } = packet.properties;
    const challenge = scram.challenge(Buffer.from(authData ?? []).toString('ascii'));
    const properties = { authMethod, authData: Buffer.from(challenge, 'ascii') };
    connection.send(encodeAuth({ reasonCode: REASON.continueAuthentication, properties }));
  } else if (packet.type === 'auth' && scram !== undefined) {
    const { authMethod, authData } = packet.properties;
    const final = scram.prove(Buffer.from(authData ?? []).toString('ascii'));
    const reasonCode = final === undefined ? REASON.notAuthorized : 0;
    const proof = final === undefined ? {} : { authMethod, authData: Buffer.from(final, 'ascii') };
    const properties = { ...proof, ...connackProperties(script) };
    connection.send(encodeConnack({ sessionPresent: false, reasonCode, properties }, 5));
  } else if (packet.type === 'connect' && script.answersConnect !== false) {
    const reasonCode = script.connackCode ?? 0;
    const properties = connackProperties(script);
    connection.send(encodeConnack({ sessionPresent: false, reasonCode, properties }, level));
  } else if (packet.type === 'publish' && packet.qos === 1 && script.acknowledges !== false) {
    if (script.pubackCode === undefined) connection.acknowledge(packet);
    else connection.send(encodePuback(packet.packetId, script.pubackCode));
  } else if (packet.type === 'subscribe') {
    const reasonCodes = [script.subackCode ?? 1];
    const { packetId } = packet;
    connection.send(encodeSuback({ packetId, reasonCodes, properties: {} }, level));
  } else if (packet.type === 'pingreq' && script.answersPings !== false) {
    connection.send(encodePingresp());
  }
}

function connackProperties({ receiveMax, serverKeepAliveS }: BrokerScript) {
  return {
    ...(receiveMax !== undefined && { receiveMax }),
    ...(serverKeepAliveS !== undefined && { serverKeepAliveS }),
  };
}

/** Signs as the server does. */
export function signed(key: KeyObject, object: Record<string, unknown>): string {
  const { signedBytes, finish } = prepareSignedJson(object);
  return finish(createHmac('sha256', key).update(signedBytes).digest('hex'));
}
