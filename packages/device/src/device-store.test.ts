/** A device with its store against a scripted broker: outages, crashes, and who is told what. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal, parseSignedJson } from '@holdfast/protocol';
import type { Publish } from '@holdfast/protocol/mqtt';
import { deviceLab } from '../test-support/device-lab.ts';
import { scramServer } from '../test-support/scram-server.ts';
import { testFolder } from '../test-support/test-bundle.ts';
import { testPki } from '../test-support/test-pki.ts';
import { type Bundle, loadBundle } from './bundle.ts';
import { connect } from './device.ts';

const PKI = testPki();
const KEY = `hfk_${'k'.repeat(43)}`;

/** What a PUBLISH says, after its signature was verified. */
function read(bundle: Bundle, { payload }: Publish): { n: number; ctr: number; ts: number } {
  const parsed = parseSignedJson(payload);
  assert.ok(!(parsed instanceof Refusal));
  const tag = createHmac('sha256', bundle.payloadKey).update(parsed.signedBytes).digest();
  assert.deepEqual(Buffer.from(parsed.signature), tag);
  return JSON.parse(Buffer.from(payload).toString('utf8')) as {
    n: number;
    ctr: number;
    ts: number;
  };
}

const lab = (t: TestContext, more: Parameters<typeof deviceLab>[2] = {}) =>
  deviceLab(t, PKI, { buffer: {}, ...more });

test('what is published during an outage arrives later, in order, with its counter and time', async (t) => {
  const { broker, bundle, clock, device, next } = await lab(t);
  await next('online');
  broker.script.answersConnect = false;
  const offline = next('offline');
  broker.connections[0]?.socket.destroy();
  await offline;
  const made: number[] = [];
  for (let n = 0; n < 200; n += 1) {
    made.push(clock.nowMs());
    await device.publish({ n }, { until: 'stored' });
    // Hours of it, but no attempt to connect on the way.
    clock.jump(60_000);
  }
  assert.equal(device.buffered?.messages, 200);
  broker.script.answersConnect = true;
  const online = next('online');
  clock.advance(60_000);
  await online;
  await device.delivered();
  const arrived = broker.publishes().map((publish) => read(bundle, publish));
  assert.deepEqual(
    arrived.map(({ n, ts }) => [n, ts]),
    made.map((ts, n) => [n, ts]),
  );
  for (const [at, { ctr }] of arrived.entries()) {
    assert.ok(at === 0 || ctr > (arrived[at - 1]?.ctr ?? Infinity));
  }
});

test('a device that was killed sends what it had stored, the same bytes', async (t) => {
  const { broker, bundle, clock, device, next } = await lab(t, { broker: { acknowledges: false } });
  await next('online');
  for (let n = 0; n < 5; n += 1) await device.publish({ n }, { until: 'stored' });
  await broker.packet('publish', (publish) => read(bundle, publish).n === 4);
  const sent = broker.publishes().map(({ payload }) => Buffer.from(payload).toString());
  // As a crash leaves it: the folder as it is now.
  const copy = join(testFolder(t), 'bundle');
  cpSync(bundle.folder, copy, { recursive: true });
  const connection = broker.connections.length;
  broker.script.acknowledges = true;
  const again = connect({ bundle: loadBundle(copy), clock });
  t.after(() => again.close());
  await again.publish({ n: 5 });
  const later = broker.publishes(broker.connections[connection]);
  assert.deepEqual(
    later.slice(0, 5).map(({ payload }) => Buffer.from(payload).toString()),
    sent,
  );
  const [last] = later.slice(-1).map((publish) => read(bundle, publish));
  assert.equal(last?.n, 5);
  assert.ok(later.every((publish, at) => at === 0 || read(bundle, publish).ctr > 0));
  assert.equal(again.buffered?.messages, 0);
});

test('closing keeps what is not acknowledged, and says so', async (t) => {
  const { broker, bundle, clock, device, next } = await lab(t, { broker: { acknowledges: false } });
  await next('online');
  const published = device.publish({ n: 1 });
  const fleeting = device.publish({ n: 2 }, { qos: 0 });
  await broker.packet('publish', (publish) => publish.qos === 1);
  const delivered = device.delivered();
  await fleeting;
  const rejected = assert.rejects(published, { code: 'E_DEVICE_CLOSED', message: /is stored/u });
  const given = assert.rejects(delivered, { code: 'E_DEVICE_CLOSED' });
  await device.close();
  await rejected;
  await given;
  broker.script.acknowledges = true;
  const again = connect({ bundle: bundle.folder, clock });
  t.after(() => again.close());
  assert.equal(again.buffered?.messages, 1);
  await again.delivered();
});

test('a server that is short of room gets the message again, on another connection', async (t) => {
  const { broker, bundle, clock, device, next } = await lab(t, {
    apiKey: KEY,
    broker: { pubackCode: 0x97, scram: scramServer(KEY) },
  });
  await next('online');
  const published = device.publish({ n: 1 });
  const offline = await next('offline');
  assert.ok(offline.state === 'offline');
  assert.equal(offline.error.code, 'E_DEVICE_REFUSED');
  assert.equal(device.buffered?.messages, 1);
  delete broker.script.pubackCode;
  clock.advance(offline.retryInMs);
  await published;
  const [first, second] = broker.publishes();
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual(read(bundle, first), read(bundle, second));
  assert.deepEqual([first.dup, second.dup], [false, true]);
});

test('a full store drops the oldest and tells who waits for it', async (t) => {
  const { device } = await lab(t, {
    buffer: { messagesMax: 2 },
    broker: { answersConnect: false },
  });
  const first = assert.rejects(device.publish({ n: 0 }), { code: 'E_DEVICE_QUEUE_FULL' });
  for (const n of [1, 2]) await device.publish({ n }, { until: 'stored' });
  await first;
  const { messages, dropped } = device.buffered ?? {};
  assert.deepEqual([messages, dropped], [2, 1]);
});

test('stored is promised only where there is a store [E_DEVICE_STORE]', async (t) => {
  const { device } = await lab(t);
  await assert.rejects(device.publish({ n: 1 }, { until: 'stored', qos: 0 }), {
    code: 'E_DEVICE_STORE',
  });
  const { device: without } = await lab(t, { buffer: false });
  await assert.rejects(without.publish({ n: 1 }, { until: 'stored' }), { code: 'E_DEVICE_STORE' });
  assert.equal(without.buffered, undefined);
  await without.delivered();
});

test('bounds out of range are a mistake of the program', async (t) => {
  const { bundle, device } = await lab(t, { buffer: false });
  await device.close();
  for (const buffer of [{ messagesMax: 0 }, { bytesMax: 65_535 }, { bytesMax: 1.5e9 + 0.5 }]) {
    assert.throws(() => connect({ bundle, buffer }), RangeError);
  }
  const narrow = connect({ bundle, buffer: { messagesMax: 1, bytesMax: 65_536 } });
  await narrow.close();
});
