/**
 * Clients of others over mutual TLS 1.3 and over WebSockets, in MQTT 5 and 3.1.1: each hears what
 * each other publishes, with what belongs to it.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createClient } from '@holdfast/client';
import { type Bundle, enroll, signProperties } from '@holdfast/device';
import { Refusal, parseSignedJson } from '@holdfast/protocol';
import type { MessageProperties } from '@holdfast/protocol/mqtt';
import {
  type ServerProcess,
  signedPayload,
  startServer,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';
import {
  type Heard,
  type Kind,
  type Outgoing,
  hearWith,
  mosquitto,
  mqttJs,
  openAsPerson,
  paho,
} from './interop-clients.ts';

const ALL_QOS = [0, 1, 2] as const;

/** A server, and whoever is enrolled for a test. */
interface Lab {
  readonly server: ServerProcess;
  readonly kinds: readonly Kind[];
  /** An enrolled device. */
  device(id: string): Promise<Bundle>;
  /** An enrolled program that reads everything. */
  service(id: string): Promise<Bundle>;
  /** Codes of all refusals so far. */
  refusals(): Promise<string[]>;
}

async function openLab(t: TestContext): Promise<Lab> {
  const folder = temporaryFolder(t);
  const server = await startServer(t, { dataDir: join(folder, 'data') });
  const api = server.client();
  t.after(() => api.close());
  const add = async (id: string, deviceClass: 'sensor' | 'service'): Promise<Bundle> => {
    const { claim } = await api.addDevice({ id, class: deviceClass });
    return enroll({ claim: claim.text, out: join(folder, id) });
  };
  const { api: apiPort } = server.ports;
  const levels = [5, 4] as const;
  return {
    server,
    kinds: levels.flatMap((level) => [
      mosquitto(level),
      paho(level),
      mqttJs(level),
      mqttJs(level, apiPort),
    ]),
    device: (id) => add(id, 'sensor'),
    service: (id) => add(id, 'service'),
    refusals: async () => (await api.refusals({ limit: 1_000 })).map(({ code }) => code),
  };
}

let counter = Date.now();

/** A signed reading; no two have the same counter. */
function reading(bundle: Bundle): string {
  counter += 1;
  return signedPayload(bundle, { ctr: counter, temp: 23.5, ts: Date.now() }).toString();
}

/** A message of form 2: its signature stands in its user properties. */
function inForm2(bundle: Bundle, message: Outgoing): Outgoing {
  counter += 1;
  const { topic, payload, retain = false, properties = {} } = message;
  const unsigned = { topic, payload: Buffer.from(payload), retain, properties };
  const { payloadKey: key, kid } = bundle;
  const userProperties = signProperties(unsigned, { key, kid, ctr: counter, ts: Date.now() });
  return { ...message, properties: { ...properties, userProperties } };
}

function byPayload(messages: readonly { payload: string }[]): string[] {
  return messages.map(({ payload }) => payload).toSorted();
}

/** In an order of our own: messages of another QoS may overtake on their way. MQTT 5 §4.6 */
function sorted<T extends { readonly payload: string }>(messages: readonly T[]): T[] {
  return messages.toSorted((a, b) => (a.payload < b.payload ? -1 : 1));
}

/** Waits for as many messages, and gives them {@link sorted}. */
async function heardFrom(
  what: string,
  listening: { readonly heard: readonly Heard[] },
  count: number,
): Promise<Heard[]> {
  await waitFor(what, () => listening.heard.length >= count);
  return sorted(listening.heard);
}

/** A message without properties, as it is to be heard. */
function plain({ topic, payload, qos }: Outgoing): Heard {
  return { topic, payload, qos, retain: false, properties: {} };
}

test('every client hears every other, at each QoS', async (t) => {
  const lab = await openLab(t);
  const meter = await lab.device('meter-1');
  const filter = 'd/meter-1/telemetry/#';
  const listeners = await Promise.all(
    lab.kinds.map(async (kind, at) => {
      const bundle = await lab.service(`reader-${at}`);
      return { kind, listening: await kind.subscribe(t, bundle, { filter, qos: 2 }) };
    }),
  );
  const sent: Outgoing[] = [];
  for (const { name, publish } of lab.kinds) {
    for (const qos of ALL_QOS) {
      const message = { topic: `d/meter-1/telemetry/${name}`, payload: reading(meter), qos };
      await publish(meter, message);
      sent.push(message);
    }
  }
  for (const { kind, listening } of listeners) {
    const heard = await heardFrom(`all at ${kind.name}`, listening, sent.length);
    const expected = sorted(sent).map(plain);
    assert.deepEqual(heard, expected, kind.name);
  }
  assert.deepEqual(await lab.refusals(), []);
});

const PROPERTIES: MessageProperties = {
  payloadFormat: 1,
  messageExpiryS: 600,
  contentType: 'application/json',
  responseTopic: 'd/meter-1/ack/ü',
  correlationData: Buffer.from('request 7'),
  userProperties: [
    ['unit', '°C'],
    ['site', 'a=b'],
  ],
};

/** The life of a message shrinks on its way. */
function withoutExpiry({ properties, ...message }: Heard | Outgoing): object {
  const { messageExpiryS = 0, ...others } = properties ?? {};
  assert.ok(messageExpiryS > 500 && messageExpiryS <= 600, `${messageExpiryS} s`);
  return { ...message, properties: others };
}

test('properties arrive as they were sent, in both forms of signing', async (t) => {
  const lab = await openLab(t);
  const meter = await lab.device('meter-1');
  const inMqtt5 = lab.kinds.filter(({ level }) => level === 5);
  const listeners = await Promise.all(
    inMqtt5.map(async (kind, at) => {
      const bundle = await lab.service(`reader-${at}`);
      return { kind, listening: await kind.subscribe(t, bundle, { filter: 'd/#', qos: 2 }) };
    }),
  );
  const sent: Outgoing[] = [];
  for (const { name, publish } of inMqtt5) {
    for (const qos of ALL_QOS) {
      const about = { topic: 'd/meter-1/telemetry', qos, properties: PROPERTIES };
      const form1 = { ...about, payload: reading(meter) };
      const form2 = inForm2(meter, { ...about, payload: `any bytes ${name} ${qos}` });
      for (const message of [form1, form2]) {
        await publish(meter, message);
        sent.push({ ...message, retain: false });
      }
    }
  }
  for (const { kind, listening } of listeners) {
    const heard = await heardFrom(`all at ${kind.name}`, listening, sent.length);
    assert.deepEqual(heard.map(withoutExpiry), sorted(sent).map(withoutExpiry), kind.name);
  }
  assert.deepEqual(await lab.refusals(), []);
});

test('a retained message is there for whoever comes later, until it is removed', async (t) => {
  const lab = await openLab(t);
  const sent: Outgoing[] = [];
  const hear = async (reader: Kind, who: string): Promise<void> => {
    const bundle = await lab.service(who);
    const listening = await reader.subscribe(t, bundle, { filter: 'd/+/state', qos: 1 });
    await heardFrom(`all by ${reader.name}`, listening, sent.length);
    await listening.stop();
    assert.deepEqual(byPayload(listening.heard), byPayload(sent), reader.name);
    assert.ok(listening.heard.every(({ retain }) => retain));
  };
  for (const [at, kind] of lab.kinds.entries()) {
    const meter = await lab.device(`meter-${at}`);
    for (const qos of ALL_QOS) {
      const topic = `d/${meter.device}/state`;
      const message = { topic, payload: reading(meter), qos, retain: true } as const;
      await kind.publish(meter, message);
      // Only the last one of a topic stays.
      if (qos === 2) sent.push(message);
    }
  }
  for (const [at, reader] of lab.kinds.entries()) await hear(reader, `reader-${at}`);

  const remover = await lab.device('meter-last');
  const topic = 'd/meter-last/state';
  const [inMqtt5 = assert.fail(), reader = assert.fail()] = lab.kinds;
  await inMqtt5.publish(remover, { topic, payload: reading(remover), qos: 1, retain: true });
  await inMqtt5.publish(remover, inForm2(remover, { topic, payload: '', qos: 1, retain: true }));
  await hear(reader, 'reader-last');
  assert.deepEqual(await lab.refusals(), []);
});

test('what comes while a subscriber is away waits for it', async (t) => {
  const lab = await openLab(t);
  const meter = await lab.device('meter-1');
  const [publisher = assert.fail()] = lab.kinds;
  for (const [at, kind] of lab.kinds.entries()) {
    const service = await lab.service(`reader-${at}`);
    const subscribing = { filter: 'd/meter-1/#', qos: 2, isPersistent: true } as const;
    const before = await kind.subscribe(t, service, subscribing);
    await before.stop();
    const sent: Outgoing[] = [];
    for (const qos of ALL_QOS) {
      const message = { topic: 'd/meter-1/telemetry', payload: reading(meter), qos };
      await publisher.publish(meter, message);
      if (qos > 0) sent.push(message);
    }
    const back = await kind.subscribe(t, service, subscribing);
    const heard = await heardFrom(`what waited for ${kind.name}`, back, sent.length);
    const expected = sorted(sent).map(plain);
    assert.deepEqual(heard, expected, kind.name);
    await back.stop();
  }
});

test('a will is published when its client is gone without a word', async (t) => {
  const lab = await openLab(t);
  const service = await lab.service('reader-1');
  const [, reader = assert.fail()] = lab.kinds;
  const listening = await reader.subscribe(t, service, { filter: 'd/+/state', qos: 1 });
  const wills: Outgoing[] = [];
  for (const [at, kind] of lab.kinds.entries()) {
    const meter = await lab.device(`meter-${at}`);
    const topic = `d/${meter.device}/state`;
    const will = { topic, payload: reading(meter), qos: 1, retain: at % 2 === 0 } as const;
    const hearing = { filter: `d/${meter.device}/cmd/#`, qos: 1 } as const;
    const leaving = await kind.subscribe(t, meter, { ...hearing, will });
    await leaving.kill();
    wills.push(will);
    await waitFor(`the will of ${kind.name}`, () => listening.heard.length === wills.length);
    const unwanted = { ...will, payload: reading(meter) };
    const stopping = await kind.subscribe(t, meter, { ...hearing, will: unwanted });
    await stopping.stop();
    // It ends with the reason "disconnect with will" where there are reasons.
    if (kind.name === 'mosquitto-5') wills.splice(-1, 1, { ...will, retain: false }, unwanted);
  }
  const heard = await heardFrom('all wills', listening, wills.length);
  assert.deepEqual(byPayload(heard), byPayload(wills));
  const late = await reader.subscribe(t, service, { filter: 'd/+/state', qos: 1 });
  const retained = wills.filter(({ retain }) => retain === true);
  assert.deepEqual(
    byPayload(await heardFrom('the retained wills', late, retained.length)),
    byPayload(retained),
  );
  assert.deepEqual(await lab.refusals(), []);
});

test('two services share a subscription: each message goes to one of them', async (t) => {
  const lab = await openLab(t);
  const meter = await lab.device('meter-1');
  const filter = '$share/group/d/+/telemetry/#';
  const members = await Promise.all(
    lab.kinds.slice(0, 2).map(async (kind, at) => {
      const bundle = await lab.service(`worker-${at}`);
      return kind.subscribe(t, bundle, { filter, qos: 1 });
    }),
  );
  const sent: Outgoing[] = [];
  const [, , publisher = assert.fail()] = lab.kinds;
  for (let i = 0; i < 10; i += 1) {
    const message = { topic: 'd/meter-1/telemetry/a', payload: reading(meter), qos: 1 } as const;
    await publisher.publish(meter, message);
    sent.push(message);
  }
  const all = (): Heard[] => members.flatMap(({ heard }) => heard);
  await waitFor('all messages', () => all().length >= sent.length);
  assert.deepEqual(byPayload(all()), byPayload(sent));
  for (const { heard } of members) assert.ok(heard.length >= 3, `${heard.length} of 10`);
});

/** What the server signed for a device, verified as the device does. */
function verifiedCommand(bundle: Bundle, { payload }: Heard): Record<string, unknown> {
  const signed = parseSignedJson(Buffer.from(payload));
  if (signed instanceof Refusal) assert.fail(signed.detail);
  const tag = createHmac('sha256', bundle.commandKey).update(signed.signedBytes).digest();
  assert.deepEqual(Buffer.from(signed.signature), tag);
  return JSON.parse(payload) as Record<string, unknown>;
}

test('a person over a WebSocket: reads all, and commands, which the server signs', async (t) => {
  const lab = await openLab(t);
  const { server } = lab;
  const meter = await lab.device('meter-1');
  const { anchorPem } = meter;
  const session = await signIn(t, server, anchorPem);
  const operator = createClient({ url: apiUrl(server), anchorPem, session });
  t.after(() => operator.close());
  const { token } = await operator.createToken({ label: 'console' });
  const headers = { authorization: `Bearer ${token}` };
  const person = await openAsPerson(server.ports.api, { anchorPem, headers });
  const system = await hearWith(t, person, { filter: '$holdfast/#', qos: 0 });
  const figures = await waitFor('figures', () =>
    system.heard.find(({ topic }) => topic === '$holdfast/connections'),
  );
  assert.equal(typeof (JSON.parse(figures.payload) as { connected: number }).connected, 'number');

  const all = await hearWith(t, person, { filter: 'd/#', qos: 1 });
  for (const kind of lab.kinds) {
    const device = await lab.device(`valve-${kind.name}`);
    const filter = `d/${device.device}/cmd/#`;
    const listening = await kind.subscribe(t, device, { filter, qos: 1 });
    const topic = `d/${device.device}/cmd/open`;
    await person.publishAsync(topic, '{"percent": 40}', { qos: 1 });
    const [heard = assert.fail()] = await heardFrom(`a command by ${kind.name}`, listening, 1);
    assert.equal(heard.topic, topic);
    const { cmd, percent } = verifiedCommand(device, heard);
    assert.deepEqual({ cmd, percent }, { cmd: 'open', percent: 40 });
    await listening.stop();
    const payload = reading(device);
    await kind.publish(device, { topic: `d/${device.device}/ack/open`, payload, qos: 2 });
    await waitFor('the answer', () => all.heard.some((heard) => heard.payload === payload));
  }
  // A person may not speak for a device.
  await person.publishAsync('d/meter-1/telemetry', reading(meter), { qos: 1 });
  assert.deepEqual(await lab.refusals(), ['E_AUTHORIZE_PUBLISH']);
  // Nor may a token with a scope go beyond that.
  await person.endAsync();
  const scope = { actions: ['reads'] };
  const scoped = await operator.createToken({ label: 'reads', scope });
  const reader = await openAsPerson(server.ports.api, {
    anchorPem,
    headers: { authorization: `Bearer ${scoped.token}` },
  });
  await hearWith(t, reader, { filter: 'd/#', qos: 1 });
  await reader.publishAsync('d/meter-1/cmd/open', '{}', { qos: 1 });
  assert.deepEqual(await lab.refusals(), ['E_AUTHORIZE_PUBLISH', 'E_AUTHORIZE_PUBLISH']);
});

function apiUrl({ ports }: ServerProcess): string {
  return `https://localhost:${ports.api}`;
}

/** Signs in as the first person; gives the session. */
async function signIn(t: TestContext, server: ServerProcess, anchorPem: string): Promise<string> {
  const { stderr } = server.output;
  const [, code = assert.fail(stderr)] = /one-time code is ([^:\s]+)/.exec(stderr) ?? [];
  const first = createClient({ url: apiUrl(server), anchorPem });
  t.after(() => first.close());
  const password = 'correct horse battery staple';
  const { session } = await first.signInFirst({ code, name: 'ada', password });
  return session;
}

/** The status of the answer to a request for a WebSocket; 101 for yes. */
function upgradeStatus(
  { ports }: ServerProcess,
  options: { ca: string; headers: Readonly<Record<string, string>> },
): Promise<number | undefined> {
  const { ca, headers } = options;
  const asking = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16, 1).toString('base64'),
    'sec-websocket-protocol': 'mqtt',
  };
  const at = { host: 'localhost', port: ports.api, path: '/mqtt', agent: false } as const;
  const asked = request({ ...at, ca, headers: { ...asking, ...headers } });
  return new Promise((resolve, reject) => {
    const take = ({ statusCode, socket }: IncomingMessage): void => {
      socket.destroy();
      resolve(statusCode);
    };
    asked.on('error', reject).on('response', take).on('upgrade', take).end();
  });
}

test('a WebSocket needs a credential, and with a cookie the right origin', async (t) => {
  const lab = await openLab(t);
  const { server } = lab;
  const { anchorPem: ca } = await lab.device('meter-1');
  const cookie = `__Host-holdfast=${await signIn(t, server, ca)}`;
  const origin = apiUrl(server);
  const ask = (headers: Record<string, string>): Promise<number | undefined> =>
    upgradeStatus(server, { ca, headers });
  assert.equal(await ask({ cookie, origin }), 101);
  assert.equal(await ask({ cookie, origin: 'https://console.example' }), 403);
  assert.equal(await ask({ cookie }), 403);
  assert.equal(await ask({ origin }), 401);
  assert.equal(await ask({ authorization: 'Bearer hf_wrong' }), 401);
  const wanted = new Set(['E_OPERATE_CROSS_SITE', 'E_OPERATE_UNAUTHENTICATED']);
  const codes = await waitFor('both refusals on the log', async () => {
    const seen = new Set(await lab.refusals());
    return seen.size >= wanted.size && seen;
  });
  assert.deepEqual(codes, wanted);
  const person = await openAsPerson(server.ports.api, {
    anchorPem: ca,
    headers: { cookie, origin },
  });
  await person.endAsync();
});
