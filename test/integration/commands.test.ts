/** SUBSCRIBE, UNSUBSCRIBE and the way of commands to devices, over real TLS. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { Bundle } from '@holdfast/device';
import { Refusal, parseSignedJson } from '@holdfast/protocol';
import {
  type PublishQos12,
  encodePingreq,
  encodePuback,
  encodePublish,
  encodeSubscribe,
  encodeUnsubscribe,
} from '@holdfast/protocol/mqtt';
import {
  type InProcessServer,
  RawClient,
  VirtualClock,
  signedPayload,
  startInProcess,
} from '@holdfast/testkit';

/** Bounds of the server's session. */
const SUBSCRIPTIONS_MAX = 50;
const IN_FLIGHT_COUNT_MAX = 32;
const WAITING_COUNT_MAX = 1_000;

const filterOf = ({ device }: Bundle): string => `d/${device}/cmd/#`;

function subscribeTo(filters: readonly string[]): Uint8Array {
  return encodeSubscribe(
    1,
    filters.map((filter) => ({ filter, qos: 1 })),
  );
}

/** Connects and subscribes to the commands of the device. */
async function subscribed(bundle: Bundle, qos: 0 | 1 = 1): Promise<RawClient> {
  const client = await RawClient.connect(bundle);
  client.send(encodeSubscribe(1, [{ filter: filterOf(bundle), qos }]));
  assert.deepEqual((await client.expect('suback')).returnCodes, [qos]);
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

  await t.test('grants QoS 0 and 1 as asked, and 1 for 2 [MQTT-3.8.4-6]', async () => {
    const client = await RawClient.connect(bundle);
    const wanted = [0, 1, 2] as const;
    client.send(
      encodeSubscribe(
        77,
        wanted.map((qos) => ({ filter: `d/pump-1/cmd/${qos}`, qos })),
      ),
    );
    assert.deepEqual(await client.next(), {
      type: 'suback',
      packetId: 77,
      returnCodes: [0, 1, 1],
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
      const { returnCodes } = await client.expect('suback');
      assert.deepEqual(
        returnCodes,
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
      return (await client.expect('suback')).returnCodes;
    };
    assert.deepEqual(await subscribe(rest), Array(SUBSCRIPTIONS_MAX).fill(1));
    await server.expectRefusal('E_SESSION_LIMIT', async () => {
      assert.deepEqual(await subscribe([first]), [0x80]);
    });
    assert.deepEqual(await subscribe(rest.slice(0, 1)), [1], 'again what is there already');
    client.send(encodeUnsubscribe(2, rest.slice(0, 1)));
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
    client.send(encodeSubscribe(2, [{ filter: filterOf(bundle), qos: 1 }]));
    assert.deepEqual((await client.expect('suback')).returnCodes, [1]);
    await client.abort();
  });

  await t.test('UNSUBSCRIBE of what is not subscribed is answered [MQTT-3.10.4-5]', async () => {
    const client = await RawClient.connect(bundle);
    client.send(encodeUnsubscribe(513, ['d/pump-1/cmd/#', 'never/heard/of']));
    assert.deepEqual(await client.next(), { type: 'unsuback', packetId: 513 });
    await client.abort();
  });

  await t.test('UNSUBSCRIBE ends the deliveries of that filter alone [MQTT-3.10.4-1]', async () => {
    const client = await subscribed(bundle);
    client.send(encodeUnsubscribe(2, ['d/pump-1/cmd/set']));
    await client.expect('unsuback');
    assert.deepEqual(await command(server, bundle, { from: 1, to: 1 }), [1]);
    await client.expect('publish');
    client.send(encodeUnsubscribe(3, [filterOf(bundle)]));
    await client.expect('unsuback');
    assert.deepEqual(await command(server, bundle, { from: 2, to: 2 }), [0]);
    assert.deepEqual(await publishesSoFar(client), []);
    await client.abort();
  });

  await t.test('overlapping filters deliver once, at the larger QoS [MQTT-3.3.5-1]', async () => {
    const client = await RawClient.connect(bundle);
    client.send(
      encodeSubscribe(1, [
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
    client.send(encodeSubscribe(2, [{ filter: filterOf(bundle), qos: 0 }]));
    assert.deepEqual((await client.expect('suback')).returnCodes, [0]);
    assert.deepEqual(await command(server, bundle, { from: 1, to: 1 }), [1]);
    assert.equal((await client.expect('publish')).qos, 0);
    await client.abort();
  });

  await t.test('a new connection begins without subscriptions [MQTT-3.1.2-6]', async () => {
    await (await subscribed(bundle)).abort();
    const client = await RawClient.connect(bundle);
    const { receivers } = await api.sendCommand('pump-1', { name: 'set', body: {} });
    assert.equal(receivers, 0);
    await client.abort();
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

  await t.test('who never sends PUBACK is closed above 1,000 waiting', async () => {
    const client = await subscribed(bundle);
    const largest = IN_FLIGHT_COUNT_MAX + WAITING_COUNT_MAX;
    await command(server, bundle, { from: 1, to: largest });
    assert.equal((await publishesSoFar(client)).length, IN_FLIGHT_COUNT_MAX);
    const refusal = await server.expectRefusal('E_SESSION_SLOW', async () => {
      await command(server, bundle, { from: largest + 1, to: largest + 1 });
      await client.closed();
    });
    assert.equal(refusal.principal, 'pump-1');
  });

  await t.test('who never reads is closed, and nobody else notices', async () => {
    const stuck = await subscribed(bundle, 0);
    const other = await subscribed(otherBundle);
    stuck.socket.pause();
    let counter = 0;
    const refusal = await server.expectRefusal('E_SESSION_SLOW', async () => {
      // Until the buffers of both kernels and the server's own are full.
      for (let n = 1; n <= 1_000; n += 1) {
        const [receivers] = await command(server, bundle, {
          from: n,
          to: n,
          pad: 'x'.repeat(60_000),
        });
        if (receivers === 0) break;
        if (n % 20 !== 0) continue;
        counter += 1;
        const payload = signedPayload(otherBundle, { ctr: counter });
        const packet = { qos: 1, packetId: counter } as const;
        other.send(encodePublish('d/pump-2/telemetry', payload, packet));
        assert.equal((await other.expect('puback')).packetId, counter);
        await command(server, otherBundle, { from: n, to: n });
        const publish = await expectQos1(other);
        assert.equal(bodyOf(publish)['n'], n);
        other.send(encodePuback(publish.packetId));
      }
    });
    assert.equal(refusal.principal, 'pump-1');
    assert.ok(counter > 0);
    await stuck.closed();
    await other.abort();
  });
});
