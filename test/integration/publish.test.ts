/** PUBLISH and its acknowledgement, over real TLS with packets by hand. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  encodePingreq,
  encodePubcomp,
  encodePublish,
  encodePubrec,
  encodePubrel,
} from '@holdfast/protocol/mqtt';
import { type VerifyReport, verifyData } from '@holdfast/server';
import {
  RawClient,
  connectPacket,
  signedPayload,
  startInProcess,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

/** QoS 1 and 2 messages that the server takes of a peer before one is acknowledged. */
const RECEIVE_MAX = 512;

test('PUBLISH', async (t) => {
  const folder = temporaryFolder(t);
  let server = await startInProcess(t);
  // A gateway may send as fast as the floods here need it.
  const bundle = await server.enroll('pump-1', 'gateway');
  const topic = 'd/pump-1/telemetry';
  let counter = 0;
  const reading = (members: Record<string, unknown> = {}): Buffer => {
    counter += 1;
    return signedPayload(bundle, { ctr: counter, ...members });
  };
  const publish = (payload: Uint8Array, packetId: number, dup = false): Uint8Array =>
    encodePublish(topic, payload, { qos: 1, packetId, dup });
  const storedCount = async (): Promise<number> =>
    (await server.client.readings('pump-1', { limit: 1_000 })).length;
  /** What the files hold at this very moment, were the power to fail now. */
  const report = async (name: string): Promise<VerifyReport> => {
    for (let copy = 0; ; copy += 1) {
      const dataDir = join(folder, `${name}-${copy}`);
      cpSync(server.dataDir, dataDir, { recursive: true });
      const report = await verifyData({ dataDir });
      // What is written between the copying of two files makes one of them look rolled back.
      if (report.ok || copy === 4) return report;
    }
  };

  await t.test(
    'QoS 1 is acknowledged once it is stored [MQTT-3.3.4-1] [MQTT-2.3.1-6]',
    async () => {
      const client = await RawClient.connect(bundle);
      for (const packetId of [1, 65_535, 1]) {
        client.send(publish(reading({ pad: 'x'.repeat(60_000) }), packetId));
        assert.equal((await client.expect('puback')).packetId, packetId);
        const { ok, messages } = await report(`stored-${counter}`);
        assert.deepEqual({ ok, messages }, { ok: true, messages: counter });
      }
      await client.abort();
    },
  );

  await t.test(
    'a refused one is acknowledged too, once its refusal is stored [MQTT-3.3.5-2]',
    async () => {
      const client = await RawClient.connect(bundle);
      const before = await report('refused-before');
      const good = String(reading({ temp: 1 }));
      const refused: [payload: string, topic: string][] = [
        [good.replace('"temp": 1', '"temp": 2'), topic],
        ['', topic],
        [good, 'd/pump-2/telemetry'],
        [good, 'd/pump-1/cmd/set'],
      ];
      for (const [i, [payload, topic]] of refused.entries()) {
        const packetId = i + 1;
        client.send(encodePublish(topic, Buffer.from(payload), { qos: 1, packetId }));
        assert.equal((await client.expect('puback')).packetId, packetId);
        const { ok, messages, refusals } = await report(`refused-${i}`);
        assert.deepEqual(
          { ok, messages, refusals },
          { ok: true, messages: before.messages, refusals: before.refusals + packetId },
        );
      }
      await client.abort();
    },
  );

  await t.test('QoS 0 is stored, and not answered [MQTT-3.3.4-1]', async () => {
    const before = await storedCount();
    const client = await RawClient.connect(bundle);
    client.send(encodePublish(topic, reading(), { qos: 0 }), publish(reading(), 1));
    client.send(encodePublish(topic, Buffer.from('forged'), { qos: 0 }), publish(reading(), 2));
    assert.equal((await client.expect('puback')).packetId, 1);
    assert.equal((await client.expect('puback')).packetId, 2);
    assert.equal(await storedCount(), before + 3);
    await client.abort();
  });

  await t.test('a resend is acknowledged again, and stored once [MQTT-3.3.1-1]', async () => {
    const before = await storedCount();
    const client = await RawClient.connect(bundle);
    const payload = reading();
    await server.expectRefusal('E_VERIFY_REPLAY', async () => {
      client.send(publish(payload, 9), publish(payload, 9, true));
      assert.equal((await client.expect('puback')).packetId, 9);
      assert.equal((await client.expect('puback')).packetId, 9);
    });
    const again = await RawClient.connect(bundle);
    await server.expectRefusal('E_VERIFY_REPLAY', async () => {
      again.send(publish(payload, 1, true));
      assert.equal((await again.expect('puback')).packetId, 1);
    });
    assert.equal(await storedCount(), before + 1);
    await again.abort();
    await client.closed();
  });

  await t.test('QoS 2 is stored once, before PUBREC, however often it comes', async () => {
    const client = await RawClient.connect(bundle);
    const { messages } = await report('qos2-before');
    const payload = reading({ pad: 'x'.repeat(60_000) });
    const codes = await server.refusedDuring(async () => {
      for (const dup of [false, true, true]) {
        client.send(encodePublish(topic, payload, { qos: 2, packetId: 1, dup }));
        assert.equal((await client.expect('pubrec')).packetId, 1);
        const stored = await report(`qos2-${counter}-${dup}`);
        assert.deepEqual([stored.ok, stored.messages], [true, messages + 1]); // [MQTT-4.3.3-10]
      }
      for (const _again of [1, 2]) {
        client.send(encodePubrel(1));
        assert.equal((await client.expect('pubcomp')).packetId, 1); // [MQTT-4.3.3-11]
      }
    });
    assert.deepEqual(codes, [], 'a repetition is no replay');
    await server.expectRefusal('E_VERIFY_REPLAY', async () => {
      client.send(encodePublish(topic, payload, { qos: 2, packetId: 1 }));
      assert.equal((await client.expect('pubrec')).packetId, 1, 'and looks as if it were stored');
    });
    assert.equal(await storedCount(), messages + 1, 'its id was free, its counter not');
    await client.abort();
  });

  await t.test('so it is across connections and restarts, in a session that is kept', async () => {
    const kept = { cleanStart: false };
    const before = await storedCount();
    const payload = reading();
    const publish2 = (dup: boolean): Uint8Array =>
      encodePublish(topic, payload, { qos: 2, packetId: 3, dup });
    const first = await RawClient.connect(bundle, kept);
    first.send(publish2(false));
    await first.expect('pubrec');
    await first.abort();
    server = await server.restart();
    const codes = await server.refusedDuring(async () => {
      const second = await RawClient.connect(bundle, kept);
      second.send(publish2(true));
      assert.equal((await second.expect('pubrec')).packetId, 3);
      second.send(encodePubrel(3));
      await second.expect('pubcomp');
      await second.abort();
    });
    assert.deepEqual(codes, []);
    assert.equal(await storedCount(), before + 1);
    const third = await RawClient.connect(bundle, kept);
    third.send(encodePublish(topic, reading(), { qos: 2, packetId: 3 }));
    await third.expect('pubrec');
    assert.equal(await storedCount(), before + 2, 'its id is free for another message');
    await third.abort();
  });

  await t.test('what answers nothing ends nothing (MQTT 5 §4.3.3)', async () => {
    const client = await RawClient.connect(bundle);
    client.send(encodePubcomp(9), encodePubrec(9), encodePubrel(9), encodePingreq());
    assert.equal((await client.expect('pubrel')).packetId, 9);
    assert.equal((await client.expect('pubcomp')).packetId, 9);
    await client.expect('pingresp');
    await client.abort();
  });

  await t.test(`${RECEIVE_MAX} of QoS 2 without PUBREL, one more ends it`, async () => {
    for (const [protocolLevel, farewell] of [
      [4, ''],
      [5, 'e00193'],
    ] as const) {
      const before = (await report(`receive-max-${protocolLevel}-before`)).messages;
      const client = await RawClient.connect(bundle, { protocolLevel });
      const publish2 = (packetId: number): Uint8Array =>
        encodePublish(topic, reading(), { qos: 2, packetId }, protocolLevel);
      const ids = Array.from({ length: RECEIVE_MAX }, (_, i) => i + 1);
      for (const id of ids) client.send(publish2(id));
      for (const id of ids) assert.equal((await client.expect('pubrec')).packetId, id);
      const answered = client.received.length;
      await server.expectRefusal('E_SESSION_PROTOCOL', async () => {
        client.send(publish2(RECEIVE_MAX + 1), encodePingreq());
        await client.closed();
      });
      assert.equal(client.received.subarray(answered).toString('hex'), farewell);
      const after = await report(`receive-max-${protocolLevel}-after`);
      assert.equal(after.messages, before + RECEIVE_MAX);
    }
  });

  await t.test(
    '5,000 in one write are acknowledged once each, in order [MQTT-4.6.0-2]',
    async () => {
      const client = await RawClient.connect(bundle);
      const before = (await report('pipeline-before')).messages;
      const ids = Array.from({ length: 5_000 }, (_, i) => i + 1);
      client.send(...ids.map((id) => publish(reading({ id }), id)));
      for (const id of ids) assert.equal((await client.expect('puback')).packetId, id);
      client.send(encodePingreq());
      await client.expect('pingresp');
      const { ok, messages } = await report('pipeline-after');
      assert.deepEqual({ ok, messages }, { ok: true, messages: before + 5_000 });
      await client.abort();
    },
  );

  await t.test('also where refused ones stand between them [MQTT-4.6.0-2]', async () => {
    const client = await RawClient.connect(bundle);
    const ids = Array.from({ length: 5_000 }, (_, i) => i + 1);
    const forged = Buffer.from('{"ctr": 1}');
    client.send(...ids.map((id) => publish(id % 7 === 0 ? reading() : forged, id)));
    const order: number[] = [];
    for (const _id of ids) order.push((await client.expect('puback')).packetId);
    assert.deepEqual(order, ids);
    await client.abort();
  });

  await t.test('a refused one does not overtake what is on its way to the disk', async () => {
    const client = await RawClient.connect(bundle);
    const forged = Buffer.from('{"ctr": 1}');
    // Refusals of one kind are summed up from the eleventh on: these have nothing to store.
    client.send(...Array.from({ length: 20 }, (_, i) => publish(forged, i + 1)));
    for (let id = 1; id <= 20; id += 1) await client.expect('puback');
    for (let round = 0; round < 20; round += 1) {
      client.send(publish(reading({ pad: 'x'.repeat(60_000) }), 101));
      await turn();
      await turn();
      client.send(publish(forged, 102));
      assert.equal((await client.expect('puback')).packetId, 101);
      assert.equal((await client.expect('puback')).packetId, 102);
    }
    await client.abort();
  });

  await t.test('connections that race after a restart share one replay window', async () => {
    server = await server.restart();
    const payload = reading();
    // As many as a device may have at a time.
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.open(bundle)));
    // In one turn: all of them ask the log for the stored counter before one has its answer.
    for (const client of clients) client.send(connectPacket(bundle), publish(payload, 1));
    await waitFor('all but one to be closed', () => {
      return clients.filter(({ socket }) => socket.closed).length === clients.length - 1;
    });
    const last = clients.find(({ socket }) => !socket.closed);
    assert.equal((await last?.expect('connack'))?.reasonCode, 0);
    assert.equal((await last?.expect('puback'))?.packetId, 1);
    const [newest, second] = await server.client.readings('pump-1', { limit: 2 });
    assert.equal(newest?.payload, String(payload));
    assert.notEqual(second?.payload, String(payload));
  });
});
