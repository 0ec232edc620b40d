/** Plays a packet sequence against a broker. @module */
import type { ConformanceBroker } from './broker.ts';
import type { TestCertificates } from './certificates.ts';
import { ByteClient, connectBytes } from './client.ts';
import { type Sequence, type Step, encodeTokens, variableBytes } from './sequence.ts';

/** The broker, and what it takes to connect to it. */
export interface Target {
  readonly broker: ConformanceBroker;
  readonly certificates: TestCertificates;
  /** How long an answer may take. */
  readonly waitMs: number;
}

const CONNACK = Buffer.from('20020000', 'hex');
/** Topic alias maximum 10, maximum packet size 2,000,000, receive maximum 20. */
const CONNACK_5 = Buffer.from('200e00000b22000a27001e8480210014', 'hex');
const PINGREQ = Buffer.from('c000', 'hex');
const PINGRESP = Buffer.from('d000', 'hex');

type ExternalPublish = Extract<Step, { type: 'external_publish' }>;

/** Plays a sequence. @returns undefined when all went as it must, or what did not. */
export async function play(sequence: Sequence, target: Target): Promise<string | undefined> {
  const clients = new Map<string, ByteClient>();
  const opened: ByteClient[] = [];
  const clientOf = async (name = 'a'): Promise<ByteClient> => {
    const known = clients.get(name);
    if (known !== undefined) return known;
    const client = await ByteClient.open(target.broker.port, target.certificates, target.waitMs);
    opened.push(client);
    await target.broker.arrived(client.localPort);
    clients.set(name, client);
    return client;
  };
  try {
    const first = await clientOf();
    if (sequence.connects) {
      first.send(connectBytes(sequence.clientId, sequence.level));
      const problem = await expect(first, sequence.level === 5 ? CONNACK_5 : CONNACK);
      if (problem !== undefined) return `CONNACK: ${problem}`;
    }
    for (const [at, step] of sequence.steps.entries()) {
      const problem = await take(step, { clientOf, clients, target });
      if (problem !== undefined) return `step ${at + 1}: ${problem}`;
    }
    const last = await clientOf();
    if (sequence.expectsClose) {
      const end = await last.ends();
      return end === true ? undefined : end;
    }
    last.send(PINGREQ);
    const problem = await expect(last, PINGRESP);
    return problem && `PINGRESP: ${problem}`;
  } finally {
    for (const client of opened) client.destroy();
  }
}

interface World {
  readonly clientOf: (name?: string) => Promise<ByteClient>;
  readonly clients: Map<string, ByteClient>;
  readonly target: Target;
}

async function take(step: Step, world: World): Promise<string | undefined> {
  switch (step.type) {
    case 'send':
      (await world.clientOf(step.client)).send(encodeTokens(step.payload));
      return undefined;
    case 'recv':
      return expect(await world.clientOf(step.client), encodeTokens(step.payload));
    case 'external_publish':
      return publishExternally(step, world.target);
    case 'expect_close': {
      const end = await (await world.clientOf(step.client)).ends();
      return end === true ? undefined : end;
    }
    case 'break':
      return breakOff(step.client ?? 'a', world);
    case 'connect':
      world.clients.delete(step.client ?? 'a');
      await world.clientOf(step.client);
      return undefined;
    case 'advance':
      world.target.broker.advance(step.seconds * 1_000);
      return undefined;
  }
}

/** What comes next finds that the broker has noticed it. */
async function breakOff(name: string, { clientOf, clients, target }: World): Promise<undefined> {
  const client = await clientOf(name);
  clients.delete(name);
  const gone = target.broker.gone(client.localPort);
  client.destroy();
  await gone;
}

async function expect(client: ByteClient, wanted: Buffer): Promise<string | undefined> {
  const got = await client.receive(wanted.length);
  if (got.equals(wanted)) return undefined;
  return `${got.toString('hex') || 'nothing'} instead of ${wanted.toString('hex')}`;
}

let externalId = 0;

/** A second client, of MQTT 3.1.1, publishes one message and goes. */
async function publishExternally(
  { topic, payload = '', qos, retain = false }: ExternalPublish,
  { broker, certificates, waitMs }: Target,
): Promise<string | undefined> {
  const client = await ByteClient.open(broker.port, certificates, waitMs);
  externalId += 1;
  client.send(connectBytes(`external ${externalId}`, 4));
  const body = Buffer.concat([
    Buffer.of(topic.length >> 8, topic.length & 0xff),
    Buffer.from(topic, 'utf8'),
    qos === 0 ? Buffer.alloc(0) : Buffer.of(0, 1),
    Buffer.from(payload, 'utf8'),
  ]);
  const first = 0x30 | (qos << 1) | (retain ? 1 : 0);
  const problem = await expect(client, CONNACK);
  client.send(Buffer.concat([Buffer.of(first, ...variableBytes(body.length)), body]));
  if (qos === 1) await client.receive(4);
  if (qos === 2) {
    await client.receive(4);
    client.send(Buffer.from('62020001', 'hex'));
    await client.receive(4);
  }
  client.send(Buffer.from('e000', 'hex'));
  await client.ends();
  client.destroy();
  return problem;
}
