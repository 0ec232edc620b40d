/** CONNECT, protocol versions, and how connections end, over real TLS with packets by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bundle } from '@holdfast/device';
import { encodeDisconnect, encodePingreq, encodePublish } from '@holdfast/protocol/mqtt';
import {
  type ConnectFields,
  RawClient,
  VirtualClock,
  connectPacket,
  runningMs,
  signedPayload,
  startInProcess,
  subscribePacket,
  waitFor,
} from '@holdfast/testkit';

/** Connections in a row that the server takes of one device. */
const FLAPPING_COUNT_MAX = 60;

/** Opens a connection, sends bytes, and gives what came back until it was closed. */
async function answerTo(bundle: Bundle, ...packets: Uint8Array[]): Promise<string> {
  const client = await RawClient.open(bundle);
  client.send(...packets);
  await client.closed();
  return client.received.toString('hex');
}

function subscribeToCommands(bundle: Bundle): Uint8Array {
  return subscribePacket(1, [{ filter: `d/${bundle.device}/cmd/#`, qos: 1 }]);
}

test('CONNECT and the end of connections', async (t) => {
  const server = await startInProcess(t);
  const { client: api } = server;
  const bundle = await server.enroll('pump-1');
  const connect = (fields?: ConnectFields): Uint8Array => connectPacket(bundle, fields);

  await t.test(
    'the first packet is answered with CONNACK, without a session [MQTT-3.2.0-1] [MQTT-3.2.2-3]',
    async () => {
      const client = await RawClient.open(bundle);
      client.send(connect({ cleanStart: false }));
      assert.deepEqual(await client.next(), {
        type: 'connack',
        sessionPresent: false,
        reasonCode: 0,
        properties: {},
      });
      await client.abort();
    },
  );

  await t.test('with it when it was kept, until a clean one [MQTT-3.2.2-2]', async () => {
    for (const [cleanStart, sessionPresent] of [
      [false, true],
      [true, false],
      [false, false],
    ] as const) {
      const client = await RawClient.open(bundle);
      client.send(connect({ cleanStart }));
      assert.equal((await client.expect('connack')).sessionPresent, sessionPresent);
      await client.abort();
    }
  });

  await t.test('another packet before CONNECT closes [MQTT-3.1.0-1]', async () => {
    for (const packet of [encodePingreq(), encodeDisconnect(), subscribeToCommands(bundle)]) {
      await server.expectRefusal('E_SESSION_PROTOCOL', async () => {
        assert.equal(await answerTo(bundle, packet), '');
      });
    }
  });

  await t.test('a second CONNECT closes [MQTT-3.1.0-2]', async () => {
    const client = await RawClient.connect(bundle);
    await server.expectRefusal('E_SESSION_PROTOCOL', async () => {
      client.send(connect());
      await client.closed();
    });
    assert.equal(client.received.toString('hex'), '20020000', 'silently');
  });

  await t.test('a client id of somebody else gets CONNACK 5, and shows on the log', async () => {
    const refusal = await server.expectRefusal('E_SESSION_CLIENT_ID', async () => {
      assert.equal(await answerTo(bundle, connect({ clientId: 'pump-2' })), '20020005');
    });
    assert.deepEqual([refusal.principal, refusal.claimed], ['pump-1', 'pump-2']);
  });

  await t.test('an empty client id gets CONNACK 2 [MQTT-3.1.3-8] [MQTT-3.1.3-9]', async () => {
    for (const cleanStart of [true, false]) {
      await server.expectRefusal('E_SESSION_CLIENT_ID', async () => {
        const answer = await answerTo(bundle, connect({ clientId: '', cleanStart }));
        assert.equal(answer, '20020002');
      });
    }
  });

  await t.test('MQTT 3.1, 3.1.1 and 5 are spoken', async () => {
    const versions: [bytes: string, answer: RegExp, what: string][] = [
      ['101400064d51497364700302003c000670756d702d31', /^20020000$/, 'MQTT 3.1'],
      ['101200044d5154540402003c000670756d702d31', /^20020000$/, 'MQTT 3.1.1'],
      ['101300044d5154540502003c00000670756d702d31', /^20..0000/, 'MQTT 5'],
    ];
    for (const [bytes, answer, what] of versions) {
      const codes = await server.refusedDuring(async () => {
        const goodbye = encodeDisconnect();
        assert.match(await answerTo(bundle, Buffer.from(bytes, 'hex'), goodbye), answer, what);
      });
      assert.deepEqual(codes, [], what);
    }
  });

  await t.test(
    'other versions are told so in the form of MQTT 5, then closed [MQTT-3.1.2-2]',
    async () => {
      const versions: [bytes: string, what: string][] = [
        ['101000044d5154540302003c000470756d70', 'level 3 under the name of level 4'],
        ['101200064d51497364700402003c000470756d70', 'level 4 under the name of level 3'],
        ['101000044d5154540002003c000470756d70', 'level 0'],
        ['101000044d5154540602003c000470756d70', 'level 6'],
        ['101000044d5154548402003c000470756d70', 'level 4 of a bridge'],
        ['101000044d515454ff02003c000470756d70', 'level 255'],
      ];
      for (const [bytes, what] of versions) {
        const refusal = await server.expectRefusal('E_SESSION_PROTOCOL', async () => {
          assert.equal(await answerTo(bundle, Buffer.from(bytes, 'hex')), '2003008400', what);
        });
        assert.match(refusal.detail, /protocol level/);
      }
    },
  );

  await t.test('nothing behind a refused CONNECT is looked at [MQTT-3.1.4-5]', async () => {
    const behind = Buffer.alloc(3_000_000, encodePingreq());
    const codes = await server.refusedDuring(async () => {
      assert.equal(await answerTo(bundle, connect({ clientId: 'x' }), behind), '20020005');
    });
    assert.deepEqual(codes, ['E_SESSION_CLIENT_ID']);
  });

  await t.test('PINGREQ is answered [MQTT-3.12.4-1]', async () => {
    const client = await RawClient.connect(bundle);
    client.send(encodePingreq(), encodePingreq());
    await client.expect('pingresp');
    await client.expect('pingresp');
    await client.abort();
  });

  await t.test(
    'DISCONNECT closes, and what follows it counts no more [MQTT-3.14.4-2]',
    async () => {
      const payload = signedPayload(bundle, { ctr: 1 });
      const late = encodePublish('d/pump-1/telemetry', payload, { qos: 1, packetId: 1 });
      const codes = await server.refusedDuring(async () => {
        assert.equal(await answerTo(bundle, connect(), encodeDisconnect(), late), '20020000');
      });
      assert.deepEqual(codes, []);
      assert.deepEqual(await api.readings('pump-1'), []);
    },
  );

  await t.test('a take-over ends the older connection, not the newer [MQTT-3.1.4-2]', async () => {
    const older = await RawClient.connect(bundle);
    older.send(subscribeToCommands(bundle));
    await older.expect('suback');
    const newer = await RawClient.connect(bundle);
    newer.send(subscribeToCommands(bundle));
    await newer.expect('suback');
    await older.closed();
    const { receivers } = await api.sendCommand('pump-1', { name: 'set', body: {} });
    assert.equal(receivers, 1, 'the end of the older did not take the subscription of the newer');
    assert.equal((await newer.expect('publish')).topic, 'd/pump-1/cmd/set');
    await newer.abort();
  });

  await t.test('a take-over before SUBSCRIBE leaves no subscription of the older', async () => {
    const older = await RawClient.connect(bundle);
    older.send(subscribeToCommands(bundle));
    await older.expect('suback');
    const newer = await RawClient.connect(bundle);
    await older.closed();
    assert.equal((await api.sendCommand('pump-1', { name: 'set', body: {} })).receivers, 0);
    await newer.abort();
  });

  await t.test('revocation closes within a second, and the other devices stay', async () => {
    const stolen = await server.enroll('pump-9');
    const client = await RawClient.connect(stolen);
    const other = await RawClient.connect(bundle);
    await server.expectRefusal('E_SESSION_REVOKED', async () => {
      const tookMs = await runningMs(() =>
        Promise.all([api.revokeDevice('pump-9', 'stolen'), client.closed()]),
      );
      assert.ok(tookMs < 1_000, `${tookMs} ms`);
    });
    await server.expectRefusal('E_SESSION_REVOKED', () => answerTo(stolen, connectPacket(stolen)));
    other.send(encodePingreq());
    await other.expect('pingresp');
    await other.abort();
  });
});

test('will messages', async (t) => {
  const server = await startInProcess(t);
  const { client: api } = server;
  const bundle = await server.enroll('pump-1');
  let counter = 0;
  const will = (
    fields: { payload?: Uint8Array; topic?: string; qos?: 0 | 1 | 2 } = {},
  ): ConnectFields => {
    counter += 1;
    const payload = signedPayload(bundle, { ctr: counter, state: 'lost' });
    const topic = 'd/pump-1/state';
    return { will: { topic, payload, qos: 1, retain: true, properties: {}, ...fields } };
  };
  const newest = async (): Promise<string | undefined> =>
    (await api.readings('pump-1', { limit: 1 }))[0]?.payload;
  /** What is stored does not change while something is refused or nothing happens: so this waits. */
  const settled = async (): Promise<void> => {
    const probe = await RawClient.connect(bundle);
    counter += 1;
    const payload = signedPayload(bundle, { ctr: counter });
    probe.send(encodePublish('d/pump-1/telemetry', payload, { qos: 1, packetId: 1 }));
    await probe.expect('puback');
    probe.send(encodeDisconnect());
    await probe.closed();
  };

  await t.test('is published when the connection breaks [MQTT-3.1.2-8]', async () => {
    for (const qos of [0, 1, 2] as const) {
      const fields = will({ qos });
      const client = await RawClient.connect(bundle, fields);
      await client.abort();
      await settled();
      const [, lost] = await api.readings('pump-1', { limit: 2 });
      assert.equal(lost?.payload, String(fields.will?.payload));
      assert.equal(lost?.topic, 'd/pump-1/state');
    }
  });

  await t.test('is dropped at DISCONNECT [MQTT-3.1.2-10] [MQTT-3.14.4-3]', async () => {
    const before = (await api.readings('pump-1')).length;
    const client = await RawClient.connect(bundle, will());
    client.send(encodeDisconnect());
    await client.closed();
    await settled();
    assert.equal((await api.readings('pump-1')).length, before + 1);
  });

  await t.test('is published when the peer breaks the rules [MQTT-3.1.2-8]', async () => {
    const fields = will();
    const client = await RawClient.connect(bundle, fields);
    client.send(Buffer.from('f000', 'hex'));
    await client.closed();
    await settled();
    assert.equal((await api.readings('pump-1'))[1]?.payload, String(fields.will?.payload));
  });

  await t.test('forged or elsewhere it refuses the CONNECT', async () => {
    const attempts: [code: string, fields: ConnectFields][] = [
      ['E_VERIFY_SIG_MISSING', will({ payload: Buffer.from('{"ctr": 99}') })],
      ['E_VERIFY_JSON', will({ payload: Buffer.alloc(0) })],
      ['E_AUTHORIZE_PUBLISH', will({ topic: 'd/pump-2/state' })],
      ['E_AUTHORIZE_PUBLISH', will({ topic: 'd/pump-1/cmd/set' })],
    ];
    const before = await newest();
    const steady = await RawClient.connect(bundle);
    for (const [code, fields] of attempts) {
      for (const [protocolLevel, connack] of [
        [4, '20020005'],
        [5, '2003008700'],
      ] as const) {
        const refusal = await server.expectRefusal(code, async () => {
          const packet = connectPacket(bundle, { ...fields, protocolLevel });
          assert.equal(await answerTo(bundle, packet), connack);
        });
        assert.equal(refusal.topic, fields.will?.topic);
        assert.equal(refusal.principal, 'pump-1');
      }
    }
    steady.send(encodePingreq());
    await steady.expect('pingresp');
    await steady.abort();
    assert.equal(await newest(), before, 'nothing of it is published');
  });

  await t.test(
    'may be the same each time: clients leave what they were configured with',
    async () => {
      const fields = will();
      const left = fields.will ?? assert.fail('a will');
      for (let time = 0; time < 2; time += 1) {
        const client = await RawClient.connect(bundle, fields);
        await client.abort();
        await settled();
      }
      const payloads = (await api.readings('pump-1')).map(({ payload }) => payload);
      assert.equal(payloads.filter((payload) => payload === String(left.payload)).length, 2);
    },
  );

  await t.test('of a revoked device is not published', async () => {
    const before = await newest();
    const client = await RawClient.connect(bundle, will());
    await api.revokeDevice('pump-1', 'stolen');
    await client.closed();
    assert.equal(await newest(), before);
  });
});

test('time-outs, with a clock that the test moves', async (t) => {
  const clock = new VirtualClock();
  const server = await startInProcess(t, { clock });
  const bundle = await server.enroll('pump-1');
  const restless = await server.enroll('pump-2');
  /** Lets the server handle what was written before, since time alone does not move here. */
  const isAlive = async (client: RawClient): Promise<void> => {
    client.send(encodePingreq());
    await client.expect('pingresp');
  };

  await t.test('no CONNECT within 5 s closes, at the next look (1 s)', async () => {
    const client = await RawClient.open(bundle);
    await server.expectRefusal('E_SESSION_TIMEOUT', async () => {
      // The other one shows that the server has taken both connections before time moves.
      await (await RawClient.connect(bundle)).abort();
      clock.advance(5_000);
      assert.equal(client.socket.closed, false);
      clock.advance(1_000);
      await client.closed();
    });
    assert.equal(client.received.length, 0);
  });

  await t.test('a CONNECT that drips in does not put that off', async () => {
    const client = await RawClient.open(bundle);
    await server.expectRefusal('E_SESSION_TIMEOUT', async () => {
      for (const byte of connectPacket(bundle).subarray(0, 6)) {
        client.send(Uint8Array.of(byte));
        await (await RawClient.connect(bundle)).abort();
        clock.advance(1_100);
      }
      await client.closed();
    });
  });

  await t.test('a refused peer that keeps its side open is closed [MQTT-3.2.2-5]', async () => {
    const client = await RawClient.open(bundle);
    client.socket.allowHalfOpen = true;
    client.send(connectPacket(bundle, { clientId: 'x' }));
    assert.equal((await client.expect('connack')).reasonCode, 5);
    clock.advance(1_999);
    // What it sends now is thrown away; that it can be sent shows that the socket is there.
    client.send(Buffer.alloc(200_000, encodePingreq()));
    await isAlive(await RawClient.connect(bundle));
    assert.equal(client.socket.closed, false);
    clock.advance(1);
    // The end came with CONNACK already; only an answer to what it sends shows the close.
    await waitFor('the connection to be closed', () => {
      if (!client.socket.closed) client.send(encodePingreq());
      return client.socket.closed;
    });
  });

  await t.test('silence of 1.5 times the keep-alive closes [MQTT-3.1.2-24]', async () => {
    const client = await RawClient.connect(bundle, { keepAliveS: 10 });
    clock.advance(14_000);
    await isAlive(client);
    clock.advance(15_000);
    await isAlive(client);
    await server.expectRefusal('E_SESSION_TIMEOUT', async () => {
      clock.advance(16_001);
      await client.closed();
    });
  });

  await t.test(
    'bytes that make no packet do not count as a sign of life [MQTT-3.1.2-24]',
    async () => {
      const client = await RawClient.connect(bundle, { keepAliveS: 10 });
      const packet = encodePublish('d/pump-1/telemetry', Buffer.alloc(10), { qos: 0 });
      await server.expectRefusal('E_SESSION_TIMEOUT', async () => {
        for (const byte of packet.subarray(0, 4)) {
          client.send(Uint8Array.of(byte));
          await (await RawClient.open(bundle)).abort();
          clock.advance(5_000);
        }
        await client.closed();
      });
    },
  );

  await t.test('a keep-alive of 0 switches that off (MQTT 3.1.1 §3.1.2.10)', async () => {
    const client = await RawClient.connect(bundle, { keepAliveS: 0 });
    clock.advance(24 * 3_600_000);
    await isAlive(client);
    await client.abort();
  });

  await t.test('a will is published with the time of the end, however old it is then', async () => {
    const payload = signedPayload(bundle, { ctr: 1, ts: clock.nowMs() });
    const properties = {};
    const will = { topic: 'd/pump-1/state', payload, qos: 1, retain: false, properties } as const;
    const client = await RawClient.connect(bundle, { keepAliveS: 0, will });
    clock.advance(3_600_000);
    await isAlive(client);
    const codes = await server.refusedDuring(async () => {
      await client.abort();
      const [lost] = await waitFor('the will', async () => {
        const readings = await server.client.readings('pump-1');
        return readings.length > 0 && readings;
      });
      assert.equal(lost?.payload, String(payload));
      assert.equal(Date.parse(lost?.at ?? ''), clock.nowMs());
    });
    assert.deepEqual(codes, []);
  });

  await t.test('a device that connects all the time is held off, and may come back', async () => {
    const attempt = async (): Promise<string> => {
      const goodbye = encodeDisconnect();
      return answerTo(restless, connectPacket(restless), goodbye);
    };
    for (let n = 0; n < FLAPPING_COUNT_MAX; n += 1) assert.equal(await attempt(), '20020000');
    await server.expectRefusal('E_SESSION_FLAPPING', async () => {
      assert.equal(await attempt(), '', `${FLAPPING_COUNT_MAX} in a row are enough`);
    });
    await isAlive(await RawClient.connect(bundle));
    clock.advance(5_000);
    assert.equal(await attempt(), '20020000');
  });

  await t.test('a certificate that ends while it is connected closes', async () => {
    const client = await RawClient.connect(bundle, { keepAliveS: 0 });
    const leftMs = bundle.certificate.validToDate.getTime() - clock.nowMs();
    // Its timers, of which some are due each second, would run for all of these days one by one.
    clock.sleep(leftMs - 2_000);
    await isAlive(client);
    await server.expectRefusal('E_SESSION_EXPIRED', async () => {
      clock.advance(3_000);
      await client.closed();
    });
    await server.expectRefusal('E_SESSION_EXPIRED', async () => {
      assert.equal(await answerTo(bundle, connectPacket(bundle)), '');
    });
  });
});
