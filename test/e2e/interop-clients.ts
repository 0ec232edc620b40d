/**
 * MQTT clients that we did not write, in one form: Debian's mosquitto-clients and paho-python, and
 * MQTT.js over TLS and over WebSockets.
 * @module
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Bundle } from '@holdfast/device';
import type { MessageProperties } from '@holdfast/protocol/mqtt';
import { DEBIAN_PYTHON, collect, mosquittoTls, run, waitFor } from '@holdfast/testkit';
import { type IClientOptions, type IPublishPacket, type MqttClient, connect } from 'mqtt';

/** Protocol level in CONNECT: 4 is MQTT 3.1.1, 5 is MQTT 5. */
export type Level = 4 | 5;

/** What is published. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  readonly retain?: boolean;
  /** For MQTT 5. */
  readonly properties?: MessageProperties;
}

/** What a client got. */
export interface Heard {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  /** Empty in MQTT 3.1.1. */
  readonly properties: MessageProperties;
}

/** What to hear. */
export interface Subscribing {
  readonly filter: string;
  readonly qos: 0 | 1 | 2;
  /** Keeps its session for an hour, and takes up the one that was there. */
  readonly isPersistent?: boolean;
  /** Published for it when it goes without a word. */
  readonly will?: Outgoing;
}

/** A client that hears. */
export interface Listening {
  /** In the order of arrival. */
  readonly heard: readonly Heard[];
  /** Ends with DISCONNECT. */
  stop(): Promise<void>;
  /** Ends without a word. */
  kill(): Promise<void>;
}

/** One kind of client, in one version. */
export interface Kind {
  readonly name: string;
  readonly level: Level;
  /** Resolves when it is acknowledged, as far as its QoS goes. */
  readonly publish: (bundle: Bundle, message: Outgoing) => Promise<void>;
  /** Resolves at SUBACK. */
  readonly subscribe: (t: TestContext, bundle: Bundle, what: Subscribing) => Promise<Listening>;
}

/** Seconds that a persistent session lasts. */
const SESSION_S = 3_600;

/** mosquitto_pub and mosquitto_sub. */
export function mosquitto(level: Level): Kind {
  const common = (bundle: Bundle): string[] => [
    ...mosquittoTls(bundle.folder, bundle.broker.port),
    '-i',
    bundle.device,
    '-V',
    level === 5 ? '5' : '311',
  ];
  return {
    name: `mosquitto-${level}`,
    level,
    async publish(bundle, { topic, payload, qos, retain = false, properties = {} }) {
      const message = ['-t', topic, '-q', String(qos), ...(retain ? ['-r'] : [])];
      const content = payload === '' ? ['-n'] : ['-m', payload];
      const args = [...common(bundle), ...message, ...content, ...propertyArgs(properties)];
      const done = await run('mosquitto_pub', args);
      assert.equal(done.code, 0, done.stderr);
    },
    subscribe(t, bundle, { filter, qos, isPersistent = false, will }) {
      const session = level === 5 ? ['-c', '-x', String(SESSION_S)] : ['-c'];
      const args = [
        ...common(bundle),
        '-d',
        ...subscribeArgs(filter, qos),
        ...(isPersistent ? session : []),
        ...(will === undefined ? [] : willArgs(will)),
      ];
      // Into a pipe it would print nothing until it ends.
      const child = spawn('stdbuf', ['-oL', 'mosquitto_sub', ...args]);
      return listen(t, child, {
        isReady: (line) => line.endsWith('received SUBACK'),
        read: (line) => (line.startsWith('{') ? readMosquitto(line) : undefined),
      });
    },
  };
}

/** Debian's paho-python. */
export function paho(level: Level): Kind {
  const script = join(import.meta.dirname, 'interop.py');
  const program = ({ folder, device, broker }: Bundle, job: object): string[] => {
    const whole = { bundle: folder, id: device, port: broker.port, level, ...job };
    return ['-u', script, JSON.stringify(whole)];
  };
  return {
    name: `paho-${level}`,
    level,
    async publish(bundle, message) {
      const { code, stderr } = await run(
        DEBIAN_PYTHON,
        program(bundle, { publish: forPython(message) }),
      );
      assert.equal(code, 0, stderr);
    },
    subscribe(t, bundle, { filter, qos, isPersistent = false, will }) {
      const sessionS = isPersistent ? SESSION_S : 0;
      const left = will === undefined ? {} : { will: forPython(will) };
      const job = { subscribe: { filter, qos, sessionS, ...left } };
      const child = spawn(DEBIAN_PYTHON, program(bundle, job));
      return listen(t, child, {
        isReady: (line) => line === 'subscribed',
        read: (line) => (line.startsWith('{') ? readPython(line) : undefined),
      });
    },
  };
}

/** MQTT.js, at the broker's own port or, given the one of the API, over a WebSocket there. */
export function mqttJs(level: Level, apiPort?: number): Kind {
  const open = ({ device, ...bundle }: Bundle, options: IClientOptions = {}): MqttClient => {
    const url =
      apiPort === undefined
        ? `mqtts://localhost:${bundle.broker.port}`
        : `wss://localhost:${apiPort}/mqtt`;
    const tls = {
      ca: bundle.anchorPem,
      cert: bundle.certificatePem,
      key: bundle.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      minVersion: 'TLSv1.3',
    } as const;
    return connect(url, {
      clientId: device,
      protocolVersion: level,
      reconnectPeriod: 0,
      ...(apiPort === undefined ? tls : { wsOptions: tls }),
      ...options,
    });
  };
  const properties = { sessionExpiryInterval: SESSION_S };
  const persistent = { clean: false, ...(level === 5 && { properties }) };
  return {
    name: `${apiPort === undefined ? 'mqtt.js' : 'mqtt.js-wss'}-${level}`,
    level,
    async publish(bundle, { topic, payload, qos, retain = false, properties = {} }) {
      const client = await connected(open(bundle));
      const more = level === 5 ? { properties: forMqttJs(properties) } : {};
      await client.publishAsync(topic, payload, { qos, retain, ...more });
      await client.endAsync();
    },
    subscribe(t, bundle, { isPersistent = false, will, ...what }) {
      const left = will && { ...will, retain: will.retain ?? false, properties: {} };
      const client = open(bundle, {
        ...(isPersistent && persistent),
        ...(left !== undefined && { will: left }),
      });
      return hearWith(t, client, what);
    },
  };
}

/** Opens MQTT.js over a WebSocket as a person, with whatever headers. */
export function openAsPerson(
  apiPort: number,
  options: { anchorPem: string; headers: Readonly<Record<string, string>> },
): Promise<MqttClient> {
  const { anchorPem: ca, headers } = options;
  const client = connect(`wss://localhost:${apiPort}/mqtt`, {
    clientId: 'console',
    protocolVersion: 5,
    reconnectPeriod: 0,
    wsOptions: { ca, minVersion: 'TLSv1.3', headers },
  });
  return connected(client);
}

/** Subscribes with MQTT.js. What waits for a session comes right behind its CONNACK. */
export async function hearWith(
  t: TestContext,
  client: MqttClient,
  { filter, qos }: Pick<Subscribing, 'filter' | 'qos'>,
): Promise<Listening> {
  const heard: Heard[] = [];
  client.on('message', (_topic, _payload, packet) => heard.push(readMqttJs(packet)));
  t.after(() => client.end(true));
  if (!client.connected) await connected(client);
  const [granted] = await client.subscribeAsync(filter, { qos });
  assert.equal(granted?.qos, qos);
  return {
    heard,
    stop: () => client.endAsync(),
    kill: () =>
      new Promise((resolve) => {
        client.once('close', resolve);
        client.stream.destroy();
      }),
  };
}

function connected(client: MqttClient): Promise<MqttClient> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client));
    client.once('error', reject);
    client.once('close', () => reject(new Error('the connection was closed')));
  });
}

interface Reading {
  readonly isReady: (line: string) => boolean;
  readonly read: (line: string) => Heard | undefined;
}

/** Reads the lines of a program that hears, from its SUBACK on. */
async function listen(t: TestContext, child: ChildProcess, reading: Reading): Promise<Listening> {
  const output = collect(child);
  let hasEnded = false;
  child.on('close', () => (hasEnded = true));
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await waitFor(`the end by ${signal}`, () => hasEnded);
  };
  t.after(() => end('SIGKILL'));
  const lines = (): string[] => output.stdout.split('\n').slice(0, -1);
  await waitFor('SUBACK', () => {
    assert.equal(child.exitCode, null, output.stdout + output.stderr);
    return lines().some(reading.isReady);
  });
  return {
    get heard() {
      return lines()
        .map(reading.read)
        .filter((heard) => heard !== undefined);
    },
    stop: async () => {
      await waitFor('it to be asleep', () => isAsleep(child));
      await end('SIGTERM');
    },
    kill: () => end('SIGKILL'),
  };
}

/**
 * Whether a program waits for something. The clients disconnect in their handler of the signal: one
 * that comes while mosquitto_sub prints a line finds the lock of its log taken, and waits for ever.
 */
function isAsleep({ pid }: ChildProcess): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('S');
}

/** `%j` prints a message with all that belongs to it, as JSON. */
function subscribeArgs(filter: string, qos: number): string[] {
  return ['-t', filter, '-q', String(qos), '-F', '%j'];
}

function willArgs({ topic, payload, qos, retain = false }: Outgoing): string[] {
  const args = ['--will-topic', topic, '--will-payload', payload, '--will-qos', String(qos)];
  return retain ? [...args, '--will-retain'] : args;
}

function propertyArgs(properties: MessageProperties): string[] {
  const { payloadFormat, messageExpiryS, contentType, responseTopic } = properties;
  const { correlationData, userProperties = [] } = properties;
  const pairs: (readonly [string, ...(string | number | undefined)[]])[] = [
    ['payload-format-indicator', payloadFormat],
    ['message-expiry-interval', messageExpiryS],
    ['content-type', contentType],
    ['response-topic', responseTopic],
    ['correlation-data', correlationData && Buffer.from(correlationData).toString('latin1')],
    ...userProperties.map(([name, value]) => ['user-property', name, value] as const),
  ];
  return pairs.flatMap((pair) =>
    pair[1] === undefined ? [] : ['-D', 'publish'].concat(pair.map(String)),
  );
}

/** JSON as `%j` of mosquitto_sub gives it. */
interface MosquittoLine {
  readonly topic: string;
  readonly payload: string | null;
  readonly qos: number;
  readonly retain: number;
  readonly properties?: {
    readonly 'payload-format-indicator'?: 0 | 1;
    readonly 'message-expiry-interval'?: number;
    readonly 'content-type'?: string;
    readonly 'response-topic'?: string;
    readonly 'correlation-data'?: string;
    readonly 'user-properties'?: Readonly<Record<string, string>>;
  };
}

function readMosquitto(line: string): Heard {
  const { topic, payload, qos, retain, properties = {} } = JSON.parse(line) as MosquittoLine;
  const correlation = properties['correlation-data'];
  const userProperties = properties['user-properties'];
  return {
    topic,
    payload: payload ?? '',
    qos,
    retain: retain === 1,
    properties: withoutGaps({
      payloadFormat: properties['payload-format-indicator'],
      messageExpiryS: properties['message-expiry-interval'],
      contentType: properties['content-type'],
      responseTopic: properties['response-topic'],
      correlationData: correlation === undefined ? undefined : Buffer.from(correlation, 'latin1'),
      userProperties: userProperties && Object.entries(userProperties),
    }),
  };
}

/** JSON as interop.py prints and takes it: the bytes of the correlation data in hexadecimal. */
type PythonMessage = Omit<Heard, 'properties'> & {
  readonly properties: Omit<MessageProperties, 'correlationData'> & {
    readonly correlationData?: string;
  };
};

function forPython({ retain = false, properties = {}, ...message }: Outgoing): PythonMessage {
  const { correlationData, ...others } = properties;
  const inHex = correlationData && Buffer.from(correlationData).toString('hex');
  const asJson = { ...others, ...(inHex !== undefined && { correlationData: inHex }) };
  return { ...message, retain, properties: asJson };
}

function readPython(line: string): Heard {
  const { properties, ...message } = JSON.parse(line) as PythonMessage;
  const { correlationData, ...others } = properties;
  const bytes = correlationData === undefined ? undefined : Buffer.from(correlationData, 'hex');
  return { ...message, properties: withoutGaps({ ...others, correlationData: bytes }) };
}

type MqttJsProperties = NonNullable<IPublishPacket['properties']>;

function forMqttJs(properties: MessageProperties): MqttJsProperties {
  const { payloadFormat, messageExpiryS, contentType, responseTopic } = properties;
  const { correlationData, userProperties } = properties;
  return {
    ...(payloadFormat !== undefined && { payloadFormatIndicator: payloadFormat === 1 }),
    ...(messageExpiryS !== undefined && { messageExpiryInterval: messageExpiryS }),
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData) }),
    ...(userProperties !== undefined && { userProperties: Object.fromEntries(userProperties) }),
  };
}

function readMqttJs({ topic, payload, qos, retain, properties = {} }: IPublishPacket): Heard {
  const { payloadFormatIndicator: isText, messageExpiryInterval, userProperties } = properties;
  return {
    topic,
    payload: payload.toString(),
    qos,
    retain,
    properties: withoutGaps({
      payloadFormat: isText === undefined ? undefined : isText ? 1 : 0,
      messageExpiryS: messageExpiryInterval,
      contentType: properties.contentType,
      responseTopic: properties.responseTopic,
      correlationData: properties.correlationData,
      userProperties:
        userProperties &&
        Object.entries(userProperties).flatMap(([name, values]) =>
          [values].flat().map((value): [string, string] => [name, value]),
        ),
    }),
  };
}

function withoutGaps(properties: MessageProperties): MessageProperties {
  const there = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there);
}
