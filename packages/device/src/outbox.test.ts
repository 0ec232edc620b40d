import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Publish, FrameSplitter, decodeFromClient } from '@holdfast/protocol/mqtt';
import fc from 'fast-check';
import type { DeviceError } from './device-error.ts';
import {
  COUNTER_SPREAD_MAX,
  IN_FLIGHT_MAX,
  QUEUE_BYTES_MAX,
  QUEUE_MESSAGES_MAX,
  SIGNATURE_AGE_MS_MAX,
} from './limits.ts';
import { Outbox, type Outgoing } from './outbox.ts';

/** A payload that says what it was signed with. */
interface Stamped {
  readonly n: number;
  readonly ctr: number;
  readonly ts: number;
}

function testOutbox() {
  let next = 0;
  const results: string[] = [];
  const outbox = new Outbox({
    counters: { peek: () => next, take: () => next++ },
    sign: (reading, stamp) => Buffer.from(JSON.stringify({ ...reading, ...stamp })),
  });
  const add = (n: number, more: Partial<Outgoing> = {}): void => {
    outbox.add({
      topic: 'd/t/telemetry',
      reading: { n },
      bytes: 10,
      qos: 1,
      retain: false,
      until: 'acknowledged',
      resolve: () => results.push(`ok ${n}`),
      reject: (error) => results.push(`${(error as DeviceError).code} ${n}`),
      ...more,
    });
  };
  const take = (nowMs = 0): (Publish & Stamped) | undefined => {
    const packet = outbox.take(nowMs);
    return packet === undefined ? undefined : { ...decode(packet) };
  };
  return { outbox, add, take, results };
}

function decode(packet: Uint8Array): Publish & Stamped {
  const splitter = new FrameSplitter({ packetBytesMax: 100_000 });
  splitter.push(packet);
  assert.equal(splitter.next(), true);
  const { first, buf, start, end } = splitter;
  const publish = decodeFromClient(first, buf, start, end);
  assert.ok('type' in publish && publish.type === 'publish');
  const stamp = JSON.parse(Buffer.from(publish.payload).toString('utf8')) as Stamped;
  return { ...publish, ...stamp };
}

test('messages leave in order, and resolve when they are acknowledged', () => {
  const { outbox, add, take, results } = testOutbox();
  for (const n of [1, 2, 3]) add(n);
  const sent = [take(), take(), take()];
  assert.deepEqual(
    sent.map((publish) => [publish?.n, publish?.ctr, publish?.dup]),
    [
      [1, 0, false],
      [2, 1, false],
      [3, 2, false],
    ],
  );
  assert.equal(take(), undefined);
  outbox.acknowledge(sent[1]?.packetId ?? 0);
  outbox.acknowledge(sent[1]?.packetId ?? 0);
  outbox.acknowledge(60_000);
  assert.deepEqual(results, ['ok 2']);
});

test('QoS 0 resolves when it is taken, and is never sent again', () => {
  const { outbox, add, take, results } = testOutbox();
  add(1, { qos: 0 });
  assert.equal(take()?.qos, 0);
  assert.deepEqual(results, ['ok 1']);
  outbox.connectionLost();
  assert.equal(take(), undefined);
});

test('after a lost connection the unacknowledged come again first: DUP, same id, same bytes', () => {
  const { outbox, add, take } = testOutbox();
  for (const n of [1, 2, 3]) add(n);
  const first = take();
  const second = take();
  outbox.acknowledge(first?.packetId ?? 0);
  outbox.connectionLost();
  const again = take(1_000);
  assert.deepEqual(again, { ...second, dup: true });
  const third = take(1_000);
  assert.deepEqual([third?.n, third?.dup, third?.ctr], [3, false, 2]);
  outbox.connectionLost();
  outbox.connectionLost();
  assert.deepEqual([take()?.n, take()?.n, take()?.n], [2, 3, undefined]);
});

test('a resend that grew old is signed anew under the same counter', () => {
  const { outbox, add, take } = testOutbox();
  add(1);
  take(0);
  outbox.connectionLost();
  assert.deepEqual(pick(take(SIGNATURE_AGE_MS_MAX)), { ctr: 0, ts: 0 });
  outbox.connectionLost();
  const later = SIGNATURE_AGE_MS_MAX + 1;
  assert.deepEqual(pick(take(later)), { ctr: 0, ts: later });
  outbox.connectionLost();
  assert.deepEqual(pick(take(later + 1)), { ctr: 0, ts: later }, 'and from then on is new');
});

function pick(publish: Stamped | undefined) {
  return { ctr: publish?.ctr, ts: publish?.ts };
}

test('IN_FLIGHT_MAX messages are sent without an acknowledgement, and no more', () => {
  const { outbox, add, take } = testOutbox();
  for (let n = 0; n <= IN_FLIGHT_MAX; n += 1) add(n);
  const sent = Array.from({ length: IN_FLIGHT_MAX }, () => take());
  assert.ok(sent.every((publish) => publish !== undefined));
  assert.equal(take(), undefined);
  outbox.acknowledge(sent[0]?.packetId ?? 0);
  assert.equal(take()?.n, IN_FLIGHT_MAX);
});

test('the counter never runs further ahead of an unacknowledged message than the window', () => {
  const { outbox, add, take } = testOutbox();
  add(0);
  const oldest = take();
  for (let n = 1; n < QUEUE_MESSAGES_MAX; n += 1) add(n, { qos: 0 });
  let last = 0;
  for (let sent = take(); sent !== undefined; sent = take()) last = sent.ctr;
  assert.equal(last, COUNTER_SPREAD_MAX - 1);
  outbox.acknowledge(oldest?.packetId ?? 0);
  assert.equal(take()?.ctr, COUNTER_SPREAD_MAX);
});

test('the queue is bounded in messages and in bytes [E_DEVICE_QUEUE_FULL]', () => {
  const { outbox, add, take } = testOutbox();
  for (let n = 0; n < QUEUE_MESSAGES_MAX; n += 1) add(n);
  assert.throws(() => add(-1), { code: 'E_DEVICE_QUEUE_FULL' });
  const sent = take();
  assert.throws(() => add(-1), { code: 'E_DEVICE_QUEUE_FULL' }, 'in flight counts');
  outbox.acknowledge(sent?.packetId ?? 0);
  assert.doesNotThrow(() => add(-1));

  const other = testOutbox();
  other.add(1, { bytes: QUEUE_BYTES_MAX });
  assert.throws(() => other.add(2, { bytes: 1 }), { code: 'E_DEVICE_QUEUE_FULL' });
  other.outbox.acknowledge(other.take()?.packetId ?? 0);
  assert.doesNotThrow(() => other.add(2, { bytes: QUEUE_BYTES_MAX }));
});

test('a message whose counter cannot be had is rejected, and the next one tried', () => {
  let isBroken = true;
  const results: string[] = [];
  const take = (): number => {
    if (isBroken) throw new Error('disk');
    return 5;
  };
  const outbox = new Outbox({ counters: { peek: take, take }, sign: () => new Uint8Array(1) });
  const add = (n: number): void => {
    const resolve = (): void => {};
    const reject = (error: unknown): void => void results.push(`${String(error)} ${n}`);
    const reading = { n };
    const how = { qos: 1, retain: false, until: 'acknowledged' } as const;
    outbox.add({ topic: 't', reading, bytes: 1, ...how, resolve, reject });
  };
  add(1);
  add(2);
  assert.equal(outbox.take(0), undefined);
  assert.deepEqual(results, ['Error: disk 1', 'Error: disk 2']);
  isBroken = false;
  add(3);
  assert.notEqual(outbox.take(0), undefined);
});

test('whatever happens, each message resolves once and the counters of a resend stay in order', () => {
  const step = fc.constantFrom('add', 'add', 'add', 'take', 'take', 'ack', 'lose');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { outbox, add, take, results } = testOutbox();
      let count = 0;
      let sinceLoss: number[] = [];
      let open: { packetId: number | undefined; ctr: number }[] = [];
      for (const what of steps) {
        if (what === 'add') add(count++);
        if (what === 'lose') {
          outbox.connectionLost();
          sinceLoss = [];
          open = [];
        }
        const sent = what === 'take' ? take() : undefined;
        if (sent !== undefined) {
          assert.ok(sent.ctr > (sinceLoss.at(-1) ?? -1), 'in order on each connection');
          sinceLoss.push(sent.ctr);
          open.push(sent);
        }
        if (what === 'ack') outbox.acknowledge(open.pop()?.packetId ?? 0);
      }
      outbox.connectionLost();
      for (let sent = take(); sent !== undefined; sent = take()) {
        outbox.acknowledge(sent.packetId ?? 0);
      }
      const expected = Array.from({ length: count }, (_, n) => `ok ${n}`);
      assert.deepEqual(results.toSorted(), expected.toSorted());
    }),
  );
});
