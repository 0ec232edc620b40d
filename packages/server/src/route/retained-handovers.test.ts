import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestClock } from '../session/lab.testing.ts';
import { TestMessage, TestReceiver, TestStore, limits, subscription } from './lab.testing.ts';
import { RETAINED_PAUSE_MS, RETAINED_SLICE_COUNT } from './limits.ts';
import { RetainedHandovers } from './retained-handovers.ts';
import { RetainedTable } from './retained.ts';

function open(count: number): {
  clock: TestClock;
  table: RetainedTable;
  handovers: RetainedHandovers;
} {
  const clock = new TestClock();
  const perDeviceMax = Number.POSITIVE_INFINITY;
  const deps = { nowMs: () => clock.ms, store: new TestStore(), limits: limits({ perDeviceMax }) };
  const table = new RetainedTable(deps);
  for (let index = 0; index < count; index += 1) {
    table.set(new TestMessage(`d/${index}`, { index, retain: true, qos: 2 }));
  }
  return { clock, table, handovers: new RetainedHandovers({ clock, table }) };
}

describe('RetainedHandovers', () => {
  test('hands a few over at once, with the retain flag and the options of the subscription', () => {
    const { handovers } = open(2);
    const receiver = new TestReceiver();
    handovers.start('d/+', receiver, subscription({ qos: 1, noLocal: true, subscriptionId: 5 }));
    assert.deepEqual(receiver.topics, ['d/0', 'd/1']);
    for (const { qos, retain, subscriptionIds } of receiver.deliveries) {
      assert.deepEqual([qos, retain, subscriptionIds], [1, true, [5]]);
    }
    assert.equal(handovers.count, 0);
  });

  test('takes slices of RETAINED_SLICE_COUNT', () => {
    // Two steps find nothing: the nodes above.
    for (const count of [RETAINED_SLICE_COUNT - 3, RETAINED_SLICE_COUNT - 2]) {
      const { handovers, clock } = open(count);
      const receiver = new TestReceiver();
      handovers.start('#', receiver, subscription());
      assert.equal(receiver.deliveries.length, count);
      assert.equal(handovers.count, count === RETAINED_SLICE_COUNT - 3 ? 0 : 1);
      clock.advance(RETAINED_PAUSE_MS);
      assert.equal(handovers.count, 0);
    }
    const { handovers, clock } = open(2 * RETAINED_SLICE_COUNT);
    const receiver = new TestReceiver();
    handovers.start('#', receiver, subscription());
    assert.equal(receiver.deliveries.length, RETAINED_SLICE_COUNT - 2);
    clock.advance(RETAINED_PAUSE_MS - 1);
    assert.equal(receiver.deliveries.length, RETAINED_SLICE_COUNT - 2);
    clock.advance(1);
    assert.equal(receiver.deliveries.length, 2 * RETAINED_SLICE_COUNT - 2);
    clock.advance(RETAINED_PAUSE_MS);
    assert.equal(new Set(receiver.topics).size, 2 * RETAINED_SLICE_COUNT);
  });

  test('looks at no more where it finds nothing', () => {
    const { handovers, clock } = open(2 * RETAINED_SLICE_COUNT);
    handovers.start('d/+/none', new TestReceiver(), subscription());
    assert.equal(handovers.count, 1);
    for (let i = 0; i < 2; i += 1) clock.advance(RETAINED_PAUSE_MS);
    assert.equal(handovers.count, 0);
  });

  test('shares the slices among all who wait', () => {
    const { handovers, clock } = open(3 * RETAINED_SLICE_COUNT);
    const receivers = [new TestReceiver(), new TestReceiver()];
    for (const receiver of receivers) handovers.start('#', receiver, subscription());
    const counts = (): number[] => receivers.map(({ deliveries }) => deliveries.length);
    const before = counts();
    clock.advance(RETAINED_PAUSE_MS);
    assert.deepEqual(counts(), [(before[0] ?? 0) + RETAINED_SLICE_COUNT, before[1]]);
    clock.advance(RETAINED_PAUSE_MS);
    assert.deepEqual(counts(), [...counts().slice(0, 1), (before[1] ?? 0) + RETAINED_SLICE_COUNT]);
    for (let i = 0; i < 4; i += 1) clock.advance(RETAINED_PAUSE_MS);
    assert.deepEqual(counts(), [3 * RETAINED_SLICE_COUNT, 3 * RETAINED_SLICE_COUNT]);
    assert.equal(handovers.count, 0);
  });

  test('waits for a receiver that is not ready, and serves others meanwhile', () => {
    const { handovers, clock, table } = open(5);
    const [slow, quick] = [new TestReceiver(), new TestReceiver()];
    slow.onDeliver = () => {
      slow.isReady = slow.deliveries.length % 2 !== 0;
    };
    handovers.start('#', slow, subscription());
    assert.equal(slow.deliveries.length, 2);
    handovers.start('#', quick, subscription());
    assert.equal(quick.deliveries.length, 5);
    clock.advance(RETAINED_PAUSE_MS);
    assert.equal(slow.deliveries.length, 2);
    // What it has not got yet comes as it is by then.
    table.set(new TestMessage('d/3', { index: 9, retain: true }));
    slow.isReady = true;
    clock.advance(RETAINED_PAUSE_MS);
    slow.isReady = true;
    clock.advance(RETAINED_PAUSE_MS);
    assert.deepEqual(new Set(slow.indexes), new Set([0, 1, 2, 4, 9]));
    assert.equal(slow.indexes.length, 5);
    assert.equal(handovers.count, 0);
  });

  test('ends with the subscription, also within a delivery', () => {
    const { handovers, clock } = open(2 * RETAINED_SLICE_COUNT);
    const receiver = new TestReceiver();
    handovers.start('#', receiver, subscription());
    handovers.start('d/+', receiver, subscription());
    handovers.stop('#', receiver);
    assert.equal(handovers.count, 1);
    handovers.stop('d/+', new TestReceiver());
    assert.equal(handovers.count, 1);
    receiver.deliveries.length = 0;
    receiver.onDeliver = () => handovers.stop('d/+', receiver);
    clock.advance(RETAINED_PAUSE_MS);
    assert.deepEqual([receiver.deliveries.length, handovers.count], [1, 0]);
  });

  test('begins anew when asked again [MQTT-3.8.4-4]', () => {
    const { handovers, clock } = open(RETAINED_SLICE_COUNT);
    const receiver = new TestReceiver();
    handovers.start('#', receiver, subscription());
    receiver.deliveries.length = 0;
    handovers.start('#', receiver, subscription());
    assert.equal(handovers.count, 1);
    clock.advance(RETAINED_PAUSE_MS);
    assert.equal(receiver.deliveries.length, RETAINED_SLICE_COUNT);
  });
});
