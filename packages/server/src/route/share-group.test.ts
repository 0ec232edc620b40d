import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { formOf } from './delivery-form.ts';
import { TestMessage, TestReceiver, subscription } from './lab.testing.ts';
import { ShareGroup } from './share-group.ts';

const form = formOf(subscription({ qos: 2 }));

function groupOf(count: number): { group: ShareGroup; members: TestReceiver[] } {
  const group = new ShareGroup();
  const members = Array.from({ length: count }, () => new TestReceiver());
  for (const member of members) group.put(member, form);
  return { group, members };
}

function send(group: ShareGroup, from: number, count: number): void {
  for (let index = from; index < from + count; index += 1) {
    group.deliver(new TestMessage('t', { index }));
  }
}

describe('ShareGroup', () => {
  test('gives each message to one member, by turns (MQTT 5 §4.8.2)', () => {
    const { group, members } = groupOf(3);
    send(group, 0, 7);
    assert.deepEqual(
      members.map(({ indexes }) => indexes),
      [
        [0, 3, 6],
        [1, 4],
        [2, 5],
      ],
    );
  });

  test('passes over who is not ready, and queues by turns when nobody is', () => {
    const { group, members } = groupOf(3);
    const [a, b, c] = members;
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    a.isReady = false;
    b.isReady = false;
    send(group, 0, 3);
    assert.deepEqual(c.indexes, [0, 1, 2]);
    c.isReady = false;
    send(group, 3, 3);
    assert.deepEqual(
      members.map(({ indexes }) => indexes),
      [[3], [4], [0, 1, 2, 5]],
    );
  });

  test('has nobody left when all have gone', () => {
    const { group, members } = groupOf(2);
    for (const member of members) assert.equal(group.delete(member), true);
    for (const member of members) assert.equal(group.delete(member), false);
    assert.equal(group.count, 0);
    assert.equal(group.deliver(new TestMessage('t')), 0);
  });

  test('respects the QoS that each member was granted [MQTT-4.8.2-3]', () => {
    const group = new ShareGroup();
    const members = ([0, 1, 2] as const).map((qos) => {
      const member = new TestReceiver();
      group.put(member, formOf(subscription({ qos, subscriptionId: qos + 1 })));
      return member;
    });
    for (const _ of members) group.deliver(new TestMessage('t', { qos: 2 }));
    const granted = members.map(({ deliveries }) => [
      deliveries[0]?.qos,
      deliveries[0]?.subscriptionIds,
    ]);
    assert.deepEqual(granted, [
      [0, [1]],
      [1, [2]],
      [2, [3]],
    ]);
  });

  test('replaces what a member asked for, and keeps its turn', () => {
    const { group, members } = groupOf(2);
    const [first] = members;
    assert.ok(first !== undefined);
    assert.equal(group.put(first, formOf(subscription({ qos: 0 }))), false);
    send(group, 0, 2);
    assert.deepEqual(
      first.deliveries.map(({ qos }) => qos),
      [0],
    );
  });

  test('gives nobody again what is on its record, whoever is ready', () => {
    const { group, members } = groupOf(2);
    const [a, b] = members;
    assert.ok(a !== undefined && b !== undefined);
    a.recordedIndex = 4;
    b.recordedIndex = 2;
    b.isReady = false;
    send(group, 2, 4);
    // 2 was on record of both: one of them had it. 5 goes to who is ready.
    assert.deepEqual([a.indexes, b.indexes], [[5], [3, 4]]);
    group.deliver(new TestMessage('t', { index: -1 }));
    assert.deepEqual(a.indexes, [5, -1]);
  });

  // Goal: turns are right whatever happens to the members. Method: random joins, leaves, changes of
  // readiness and messages, against a model that knows when each member was served last.
  test('serves who waits longest, under joins, leaves and readiness', () => {
    const step = fc.record({
      what: fc.constantFrom('join', 'leave', 'flip', 'send'),
      who: fc.nat({ max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const group = new ShareGroup();
        const all = Array.from({ length: 5 }, () => new TestReceiver());
        const servedAt = new Map<TestReceiver, number>();
        for (const [index, { what, who }] of steps.entries()) {
          const receiver = all[who] ?? assert.fail();
          if (what === 'join') {
            assert.equal(group.put(receiver, form), !servedAt.has(receiver));
            if (!servedAt.has(receiver)) servedAt.set(receiver, index);
          } else if (what === 'leave') {
            assert.equal(group.delete(receiver), servedAt.delete(receiver));
          } else if (what === 'flip') {
            receiver.isReady = !receiver.isReady;
          } else {
            const order = [...servedAt].sort(([, a], [, b]) => a - b).map(([member]) => member);
            const expected = order.find(({ isReady }) => isReady) ?? order[0];
            if (expected !== undefined) servedAt.set(expected, index);
            const count = group.deliver(new TestMessage('t', { index }));
            assert.equal(count, expected === undefined ? 0 : 1);
            const served = all.filter(({ indexes }) => indexes.at(-1) === index);
            assert.deepEqual(
              served.map((member) => all.indexOf(member)),
              expected === undefined ? [] : [all.indexOf(expected)],
            );
          }
          assert.equal(group.count, servedAt.size);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
