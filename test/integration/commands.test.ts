/** SUBSCRIBE, UNSUBSCRIBE and the way of commands to devices, over real TLS. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { Bundle } from '@holdfast/device';
import { Refusal, parseSignedJson } from '@holdfast/protocol';
import {
  type PublishQos12,
  type Qos,
  encodePingreq,
  encodePuback,
  encodePubcomp,
  encodePublish,
  encodePubrec,
} from '@holdfast/protocol/mqtt';
import {
  type ConnectFields,
  type InProcessServer,
  RawClient,
  VirtualClock,
  connectPacket,
  signedPayload,
  startInProcess,
  subscribePacket,
  unsubscribePacket,
  waitFor,
} from '@holdfast/testkit';

/** Bounds of the server's session. */
const SUBSCRIPTIONS_MAX = 50;
const IN_FLIGHT_COUNT_MAX = 32;
const WAITING_COUNT_MAX = 1_000;
const OUTBOUND_BYTES_MAX = 1_048_576;
const SLOW_TIMEOUT_MS = 10_000;

const DROPPED = 'holdfast_messages_dropped_total';

const filterOf = ({ device }: Bundle): string => `d/${device}/cmd/#`;

function subscribeTo(filters: readonly string[]): Uint8Array {
  return subscribePacket(
    1,
    filters.map((filter) => ({ filter, qos: 1 })),
  );
}

/** Connects and subscribes to the commands of the device. */
async function subscribed(
  bundle: Bundle,
  qos: Qos = 1,
  fields: ConnectFields = {},
): Promise<RawClient> {
  const client = await RawClient.connect(bundle, fields);
  client.send(subscribePacket(1, [{ filter: filterOf(bundle), qos }], fields.protocolLevel));
  assert.deepEqual((await client.expect('suback')).reasonCodes, [qos]);
  return client;
}

async function expectQos1(client: RawClient): Promise<PublishQos12> {
  const publish = await client.expect('publish');
  assert.ok(publish.qos === 1);
  return publish;
}

/** Everything that came up to an answer which was asked for just now. */
async function publishesSoFar(client: RawClient): Promise<PublishQos12[]> {
  client.send(encodePingreq());
  const publishes: PublishQos12[] = [];
  for (;;) {
    const packet = await client.next();
    if (packet.type === 'pingresp') return publishes;
    assert.ok(packet.type === 'publish' && packet.qos === 1);
    publishes.push(packet);
  }
}

const bodyOf = ({ payload }: { payload: Uint8Array }): Record<string, unknown> =>
  JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>;

/** Sends numbered commands, a few at a time, so that their order is theirs. */
async function command(
  { client }: InProcessServer,
  { device }: Bundle,
  { from, to, pad = '' }: { from: number; to: number; pad?: string },
): Promise<number[]> {
  const receivers: number[] = [];
  for (let n = from; n <= to; n += 1) {
    receivers.push((await client.sendCommand(device, { name: 'set', body: { n, pad } })).receivers);
  }
  return receivers;
}

test('SUBSCRIBE and UNSUBSCRIBE', async (t) => {
  const clock = new VirtualClock();
  const server = await startInProcess(t, { clock });
  const bundle = await server.enroll('pump-1');
  const { client: api } = server;

  await t.test('grants QoS 0, 1 and 2 as asked [MQTT-3.8.4-6]', async () => {
    const client = await RawClient.connect(bundle);
    const wanted = [0, 1, 2] as const;
    client.send(
      subscribePacket(
        77,
        wanted.map((qos) => ({ filter: `d/pump-1/cmd/${qos}`, qos })),
      ),
    );
    assert.deepEqual(await client.next(), {
      type: 'suback',
      packetId: 77,
      reasonCodes: [0, 1, 2],
      properties: {},
    });
    await client.abort();
  });

  await t.test('refuses a filter in its place, and grants the others [MQTT-3.8.4-5]', async () => {
    const client = await RawClient.connect(bundle);
    const filters: [filter: string, code: 1 | 0x80][] = [
      ['#', 0x80],
      ['d/pump-1/cmd/#', 1],
      ['d/+/cmd/#', 0x80],
      ['d/pump-2/cmd/#', 0x80],
      ['d/pump-1/cmd/set', 1],
      ['d/pump-1/#', 0x80],
      ['d/pump-1/cmd', 1],
      ['d/pump-1/state', 0x80],
      ['+/pump-1/cmd/#', 0x80],
      ['$SYS/#', 0x80],
    ];
    const codes = await server.refusedDuring(async () => {
      client.send(subscribeTo(filters.map(([filter]) => filter)));
      const { reasonCodes } = await client.expect('suback');
      assert.deepEqual(
        reasonCodes,
        filters.map(([, code]) => code),
      );
    });
    assert.deepEqual(codes, Array(7).fill('E_AUTHORIZE_SUBSCRIBE'));
    await client.abort();
  });

  await t.test(`takes ${SUBSCRIPTIONS_MAX} filters, one more is refused`, async () => {
    const client = await RawClient.connect(bundle);
    const filters = Array.from({ length: SUBSCRIPTIONS_MAX + 1 }, (_, i) => `d/pump-1/cmd/${i}`);
    const [first = '', ...rest] = filters;
    const subscribe = async (names: readonly string[]): Promise<readonly number[]> => {
      client.send(subscribeTo(names));
      return (await client.expect('suback')).reasonCodes;
    };
    assert.deepEqual(await subscribe(rest), Array(SUBSCRIPTIONS_MAX).fill(1));
    await server.expectRefusal('E_SESSION_LIMIT', async () => {
      assert.deepEqual(await subscribe([first]), [0x80]);
    });
    assert.deepEqual(await subscribe(rest.slice(0, 1)), [1], 'again what is there already');
    client.send(unsubscribePacket(2, rest.slice(0, 1)));
    await client.expect('unsuback');
    assert.deepEqual(await subscribe([first]), [1], 'in the place of the one that has gone');
    await client.abort();
  });

  await t.test('a refused filter takes no place', async () => {
    const client = await RawClient.connect(bundle);
    for (let round = 0; round < 2; round += 1) {
      clock.advance(1_000);
      const filters = Array.from({ length: SUBSCRIPTIONS_MAX }, (_, i) => `foreign/${i}`);
      client.send(subscribeTo(filters));
      await client.expect('suback');
    }
    client.send(subscribePacket(2, [{ filter: filterOf(bundle), qos: 1 }]));
    assert.deepEqual((await client.expect('suback')).reasonCodes, [1]);
    await client.abort();
  });

  await t.test('UNSUBSCRIBE of what is not subscribed is answered [MQTT-3.10.4-5]', async () => {
    const client = await RawClient.connect(bundle);
    client.send(unsubscribePacket(513, ['d/pump-1/cmd/#', 'never/heard/of']));
    assert.deepEqual(await client.next(), {
      type: 'unsuback',
      packetId: 513,
      reasonCodes: [],
      properties: {},
    });
    await client.abort();
  });

  await t.test('UNSUBSCRIBE ends the deliveries of that filter alone [MQTT-3.10.4-1]', async () => {
    const client = await subscribed(bundle);
    client.send(unsubscribePacket(2, ['d/pump-1/cmd/set']));
    await client.expect('unsuback');
    assert.deepEqual(await command(server, bundle, { from: 1, to: 1 }), [1]);
    await client.expect('publish');
    client.send(unsubscribePacket(3, [filterOf(bundle)]));
    await client.expect('unsuback');
    assert.deepEqual(await command(server, bundle, { from: 2, to: 2 }), [0]);
    assert.deepEqual(await publishesSoFar(client), []);
    await client.abort();
  });

  await t.test('overlapping filters deliver once, at the larger QoS [MQTT-3.3.5-1]', async () => {
    const client = await RawClient.connect(bundle);
    client.send(
      subscribePacket(1, [
        { filter: 'd/pump-1/cmd/set', qos: 0 },
        { filter: 'd/pump-1/cmd/+', qos: 1 },
        { filter: 'd/pump-1/cmd/#', qos: 0 },
      ]),
    );
    await client.expect('suback');
    await command(server, bundle, { from: 1, to: 1 });
    assert.equal((await publishesSoFar(client)).length, 1);
    await client.abort();
  });

  await t.test('subscribing again replaces the QoS, with one delivery [MQTT-3.8.4-3]', async () => {
    const client = await subscribed(bundle, 1);
    client.send(subscribePacket(2, [{ filter: filterOf(bundle), qos: 0 }]));
    assert.deepEqual((await client.expect('suback')).reasonCodes, [0]);
    assert.deepEqual(await command(server, bundle, { from: 1, to: 1 }), [1]);
    assert.equal((await client.expect('publish')).qos, 0);
    await client.abort();
  });

  await t.test('a clean connection begins without subscriptions [MQTT-3.1.2-6]', async () => {
    for (const cleanStart of [true, false]) {
      await (await subscribed(bundle, 1, { cleanStart })).abort();
      const client = await RawClient.connect(bundle);
      const { receivers } = await api.sendCommand('pump-1', { name: 'set', body: {} });
      assert.equal(receivers, 0);
      await client.abort();
    }
  });
});

test('commands', async (t) => {
  const clock = new VirtualClock();
  const server = await startInProcess(t, { clock });
  const [bundle, otherBundle] = [await server.enroll('pump-1'), await server.enroll('pump-2')];
  const { client: api } = server;

  await t.test('a command arrives once, signed, not retained [MQTT-3.3.1-9]', async () => {
    const client = await subscribed(bundle);
    await api.sendCommand('pump-1', { name: 'set', body: { target: 21.5, why: 'é' } });
    const publish = await expectQos1(client);
    assert.deepEqual(
      [publish.topic, publish.retain, publish.dup],
      ['d/pump-1/cmd/set', false, false],
    );
    const signed = parseSignedJson(publish.payload);
    if (signed instanceof Refusal) assert.fail(signed.detail);
    const tag = createHmac('sha256', bundle.commandKey).update(signed.signedBytes).digest();
    assert.deepEqual(Buffer.from(signed.signature), tag);
    const { target, why, ts } = bodyOf(publish);
    assert.deepEqual([target, why, ts], [21.5, 'é', clock.nowMs()]);
    client.send(encodePuback(publish.packetId));
    assert.deepEqual(await publishesSoFar(client), []);
    await client.abort();
  });

  await t.test('two devices do not hear each other', async () => {
    const [client, other] = [await subscribed(bundle), await subscribed(otherBundle)];
    await command(server, bundle, { from: 1, to: 3 });
    await command(server, otherBundle, { from: 4, to: 5 });
    const heard = await publishesSoFar(client);
    assert.deepEqual(
      heard.map(bodyOf).map(({ n }) => n),
      [1, 2, 3],
    );
    const otherHeard = await publishesSoFar(other);
    assert.deepEqual(
      otherHeard.map(bodyOf).map(({ n }) => n),
      [4, 5],
    );
    await Promise.all([client.abort(), other.abort()]);
  });

  await t.test(
    '32 are in flight, the others wait for PUBACK, in order [MQTT-4.6.0-6]',
    async () => {
      const client = await subscribed(bundle);
      const count = IN_FLIGHT_COUNT_MAX + 10;
      await command(server, bundle, { from: 1, to: count });
      const heard = await publishesSoFar(client);
      assert.equal(heard.length, IN_FLIGHT_COUNT_MAX);
      const [first, second] = heard;
      assert.ok(first !== undefined && second !== undefined);
      client.send(
        encodePuback(second.packetId),
        encodePuback(second.packetId),
        encodePuback(60_000),
      );
      const next = await publishesSoFar(client);
      assert.equal(next.length, 1, 'one PUBACK makes room for one, a second one for none');
      heard.push(...next);
      for (const { packetId } of heard.filter((one) => one !== second)) {
        client.send(encodePuback(packetId));
      }
      heard.push(...(await publishesSoFar(client)));
      assert.deepEqual(
        heard.map(bodyOf).map(({ n }) => n),
        Array.from({ length: count }, (_, i) => i + 1),
      );
      await client.abort();
    },
  );

  await t.test('who never sends PUBACK stays: the oldest that wait make room', async () => {
    const client = await subscribed(bundle);
    const droppedBefore = await server.metric(DROPPED);
    const largest = IN_FLIGHT_COUNT_MAX + WAITING_COUNT_MAX;
    await command(server, bundle, { from: 1, to: largest });
    assert.equal(await server.metric(DROPPED), droppedBefore, 'as many as may wait');
    await command(server, bundle, { from: largest + 1, to: largest + 3 });
    assert.equal(await server.metric(DROPPED), droppedBefore + 3, 'one for each above');
    const heard = await publishesSoFar(client);
    assert.equal(heard.length, IN_FLIGHT_COUNT_MAX);
    const wanted = Array.from({ length: largest + 3 }, (_, i) => i + 1);
    wanted.splice(IN_FLIGHT_COUNT_MAX, 3);
    for (let at = 0; heard.length < wanted.length; at += 1) {
      client.send(encodePuback(heard[at]?.packetId ?? 0));
      heard.push(await expectQos1(client));
    }
    for (const { packetId } of heard.slice(-IN_FLIGHT_COUNT_MAX)) {
      client.send(encodePuback(packetId));
    }
    assert.deepEqual(await publishesSoFar(client), []);
    assert.deepEqual(
      heard.map(bodyOf).map(({ n }) => n),
      wanted,
    );
    await client.abort();
  });

  await t.test('PUBREC and PUBCOMP are no answers to QoS 1 [MQTT-4.3.2-2]', async () => {
    for (const answer of [encodePubrec, encodePubcomp]) {
      const client = await subscribed(bundle, 2);
      await command(server, bundle, { from: 1, to: 1 });
      const publish = await expectQos1(client);
      await server.expectRefusal('E_SESSION_PROTOCOL', async () => {
        client.send(answer(publish.packetId));
        await client.closed();
      });
    }
  });

  await t.test('who never reads loses QoS 0, then its connection; nobody notices', async () => {
    const stuck = await subscribed(bundle, 0);
    const other = await subscribed(otherBundle);
    stuck.socket.pause();
    const droppedBefore = await server.metric(DROPPED);
    const dropped = async (): Promise<number> => (await server.metric(DROPPED)) - droppedBefore;
    const pad = 'x'.repeat(60_000);
    let sent = 0;
    let counter = 0;
    const expectServed = async (): Promise<void> => {
      counter += 1;
      const packet = { qos: 1, packetId: counter } as const;
      const payload = signedPayload(otherBundle, { ctr: counter });
      other.send(encodePublish('d/pump-2/telemetry', payload, packet));
      assert.equal((await other.expect('puback')).packetId, counter);
      await command(server, otherBundle, { from: counter, to: counter });
      const publish = await expectQos1(other);
      assert.equal(bodyOf(publish)['n'], counter);
      other.send(encodePuback(publish.packetId));
    };
    // Until the buffers of both kernels and the server's own are full.
    while ((await dropped()) === 0) {
      for (let n = 0; n < 20; n += 1) {
        sent += 1;
        await command(server, bundle, { from: sent, to: sent, pad });
      }
      await expectServed();
      assert.ok(sent * pad.length < 100_000_000, 'what waits for one peer has a bound');
    }
    const droppedAtFirst = await dropped();
    await command(server, bundle, { from: sent + 1, to: sent + 10, pad });
    assert.ok((await dropped()) > droppedAtFirst, 'while it does not read');
    const refusal = await server.expectRefusal('E_SESSION_SLOW', async () => {
      clock.advance(SLOW_TIMEOUT_MS);
      await expectServed();
      assert.equal(await server.metric('holdfast_connections'), 2, 'not before its time');
      clock.advance(2_000);
      await waitFor('the connection to be closed', async () => {
        return (await server.metric('holdfast_connections')) === 1;
      });
    });
    assert.equal(refusal.principal, 'pump-1');
    assert.match(refusal.detail, new RegExp(`\\b${OUTBOUND_BYTES_MAX}\\b`));
    await expectServed();
    await stuck.closed();
    await other.abort();
  });
});

test('a session that is kept finds its commands again', async (t) => {
  const clock = new VirtualClock();
  let server = await startInProcess(t, { clock });
  const bundle = await server.enroll('pump-1');
  const inMqtt5: ConnectFields = { protocolLevel: 5, properties: { sessionExpiryS: 60 } };
  const kept: readonly [what: string, fields: ConnectFields][] = [
    ['MQTT 3.1.1 without clean session', { protocolLevel: 4, cleanStart: false }],
    ['MQTT 5 with a session expiry', inMqtt5],
  ];
  /** Expects these commands, without subscribing to them in this connection. */
  const comeBack = async (fields: ConnectFields, wanted: readonly number[]): Promise<void> => {
    const client = await RawClient.open(bundle, fields.protocolLevel);
    client.send(connectPacket(bundle, { ...fields, cleanStart: false }));
    assert.equal((await client.expect('connack')).sessionPresent, true);
    for (const n of wanted) {
      const publish = await expectQos1(client);
      assert.equal(bodyOf(publish)['n'], n);
      client.send(encodePuback(publish.packetId));
    }
    assert.deepEqual(await publishesSoFar(client), []);
    await client.abort();
  };
  const isOffline = async (): Promise<void> => {
    await waitFor('the end of the connection', async () => {
      return (await server.metric('holdfast_connections')) === 0;
    });
  };

  for (const [what, fields] of kept) {
    await t.test(`${what} [MQTT-3.1.2-5]`, async () => {
      await (await subscribed(bundle, 1, fields)).abort();
      await isOffline();
      assert.deepEqual(await command(server, bundle, { from: 1, to: 3 }), [1, 1, 1]);
      await comeBack(fields, [1, 2, 3]);
      await command(server, bundle, { from: 4, to: 5 });
      server = await server.restart({ clock });
      await command(server, bundle, { from: 6, to: 6 });
      await comeBack(fields, [4, 5, 6]);
      await comeBack(fields, []);
    });
  }

  await t.test('until its time is over [MQTT-3.1.2-23]', async () => {
    await comeBack(inMqtt5, []);
    await isOffline();
    clock.advance(59_000);
    assert.deepEqual(await command(server, bundle, { from: 7, to: 7 }), [1]);
    clock.advance(2_000);
    assert.deepEqual(await command(server, bundle, { from: 8, to: 8 }), [0]);
    const client = await RawClient.open(bundle, 5);
    client.send(connectPacket(bundle, { ...inMqtt5, cleanStart: false }));
    assert.equal((await client.expect('connack')).sessionPresent, false);
    assert.deepEqual(await publishesSoFar(client), []);
    await client.abort();
  });

  await t.test('until its device is revoked, connected or not', async () => {
    await (await subscribed(bundle, 1, inMqtt5)).abort();
    await isOffline();
    assert.equal(await server.metric('holdfast_sessions'), 1);
    await server.client.revokeDevice('pump-1', 'stolen');
    assert.equal(await server.metric('holdfast_sessions'), 0);
    server = await server.restart({ clock });
    assert.equal(await server.metric('holdfast_sessions'), 0);
    assert.equal(await server.metric('holdfast_subscriptions'), 0);
  });
});
