import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { topicMatches } from '@holdfast/protocol';
import * as fc from 'fast-check';
import { TestMessage, TestStore, anyFilter, anyTopic, limits } from './lab.testing.ts';
import { RetainedTable } from './retained.ts';

function openTable(smaller: Parameters<typeof limits>[0] = {}): {
  table: RetainedTable;
  store: TestStore;
  clock: { ms: number };
} {
  const store = new TestStore();
  const clock = { ms: 1_000 };
  const deps = { nowMs: () => clock.ms, store, limits: limits(smaller) };
  return { table: new RetainedTable(deps), store, clock };
}

let index = 0;

function message(
  topic: string,
  text: string,
  options: { index?: number; principal?: string; expiresAtMs?: number } = {},
): TestMessage {
  index += 1;
  const payload = Buffer.from(text);
  return new TestMessage(topic, { index, retain: true, payload, ...options });
}

/** What a filter finds, as "topic payload", in order. */
function found(table: RetainedTable, filter: string): string[] {
  return [...table.matching(filter)]
    .flatMap((found) => (found === undefined ? [] : [found]))
    .map(({ topic, payload }) => `${topic} ${Buffer.from(payload).toString()}`)
    .sort();
}

describe('RetainedTable', () => {
  test('keeps the last message of each topic [MQTT-3.3.1-5]', () => {
    const { table, store } = openTable();
    table.set(message('a', '1'));
    const second = message('a', '22');
    table.set(second);
    table.set(message('a/b', '3'));
    assert.deepEqual(found(table, '#'), ['a 22', 'a/b 3']);
    assert.deepEqual([table.count, table.bytes], [2, 3]);
    assert.deepEqual(store.refs.get('a'), { index: second.index, keyRef: second.keyRef });
    assert.ok(second.isDetached, 'it would keep the whole chunk that was received');
  });

  test('removes by an empty payload, and keeps none [MQTT-3.3.1-6] [MQTT-3.3.1-7]', () => {
    const { table, store } = openTable();
    table.set(message('a', '1'));
    table.set(message('a/b', '2'));
    assert.equal(table.set(message('a', '')), undefined);
    assert.equal(table.set(message('not/there', '')), undefined);
    assert.deepEqual(found(table, '#'), ['a/b 2']);
    assert.deepEqual([table.count, table.bytes], [1, 1]);
    assert.deepEqual([...store.refs.keys()], ['a/b']);
    assert.equal(store.saveCount, 3, 'nothing to save for what was never there');
    table.set(message('a/b', ''));
    assert.ok(table.isEmpty);
  });

  test('refuses a message above the largest count [E_ROUTE_RETAINED]', () => {
    const { table } = openTable({ countMax: 2 });
    assert.equal(table.set(message('a', '1')), undefined);
    assert.equal(table.set(message('b', '1')), undefined);
    assert.equal(table.set(message('c', '1'))?.code, 'E_ROUTE_RETAINED');
    assert.equal(table.set(message('b', '2')), undefined);
    assert.deepEqual(found(table, '#'), ['a 1', 'b 2']);
    table.set(message('a', ''));
    assert.equal(table.set(message('c', '1')), undefined);
  });

  test('refuses a message above the largest sum of bytes [E_ROUTE_RETAINED]', () => {
    const { table } = openTable({ bytesMax: 4 });
    assert.equal(table.set(message('a', '123')), undefined);
    assert.equal(table.set(message('b', '12'))?.code, 'E_ROUTE_RETAINED');
    assert.equal(table.set(message('b', '1')), undefined);
    assert.equal(table.set(message('a', '321')), undefined);
    assert.equal(table.bytes, 4);
  });

  test('refuses a message above the largest count of one device [E_ROUTE_RETAINED]', () => {
    const { table } = openTable({ perDeviceMax: 2 });
    const of = (principal: string, topic: string): string | undefined =>
      table.set(message(topic, '1', { principal }))?.code;
    assert.equal(of('x', 'a'), undefined);
    assert.equal(of('x', 'b'), undefined);
    assert.equal(of('x', 'c'), 'E_ROUTE_RETAINED');
    assert.equal(of('y', 'c'), undefined);
    assert.equal(of('x', 'b'), undefined, 'in place of its own');
    assert.equal(of('y', 'b'), undefined, 'in place of that of another');
    assert.equal(of('y', 'd'), 'E_ROUTE_RETAINED');
    assert.equal(of('x', 'd'), undefined);
    const ofServer = { principal: 'x', index: -1 };
    assert.equal(table.set(message('$holdfast/x', '1', ofServer)), undefined);
  });

  test('drops the former message when the new one does not fit [MQTT-3.3.1-5]', () => {
    const { table, store } = openTable({ bytesMax: 4 });
    table.set(message('a', 'old'));
    assert.equal(table.set(message('a', 'newer'))?.code, 'E_ROUTE_RETAINED');
    assert.deepEqual(found(table, 'a'), []);
    assert.ok(table.isEmpty);
    assert.equal(store.refs.size, 0);
  });

  test('keeps no message beyond its end [MQTT-3.3.2-5]', () => {
    const { table, store, clock } = openTable();
    table.set(message('a', '1', { expiresAtMs: 1_001 }));
    table.set(message('b', '1', { expiresAtMs: 1_002 }));
    assert.deepEqual(found(table, '+'), ['a 1', 'b 1']);
    clock.ms = 1_001;
    assert.deepEqual(found(table, '+'), ['b 1']);
    assert.deepEqual([table.count, [...store.refs.keys()]], [1, ['b']]);
    assert.equal(table.set(message('b', '2', { expiresAtMs: 1_001 })), undefined);
    assert.ok(table.isEmpty);
    assert.equal(store.refs.size, 0);
  });

  test('finds room where messages have expired that nobody asks for', () => {
    const { table, clock } = openTable({ countMax: 4 });
    for (const topic of ['a', 'b', 'c', 'd'])
      table.set(message(topic, '1', { expiresAtMs: 2_000 }));
    assert.equal(table.set(message('e', '1'))?.code, 'E_ROUTE_RETAINED');
    clock.ms = 2_000;
    table.set(message('e', '1'));
    table.set(message('f', '1'));
    table.set(message('g', '1'));
    assert.deepEqual(found(table, '#'), ['e 1', 'f 1', 'g 1']);
    assert.equal(table.count, 3);
  });

  test('takes messages back, and lets nothing older take their place', () => {
    const { table, store, clock } = openTable({ countMax: 2 });
    table.restore(message('a', 'new', { index: 5_000 }));
    table.restore(message('b', '1', { index: 4_000 }));
    assert.equal(store.saveCount, 0);
    table.restore(message('c', '1'));
    clock.ms = 9_000;
    table.restore(message('d', '1', { expiresAtMs: 9_000 }));
    assert.equal(store.saveCount, 2, 'those that are not kept are forgotten');
    for (const old of [4_999, 5_000]) table.set(message('a', 'old', { index: old }));
    table.set(message('a', '', { index: 4_999 }));
    table.set(message('b', '2', { index: 4_001 }));
    assert.deepEqual(found(table, '#'), ['a new', 'b 2']);
    assert.deepEqual(store.refs, new Map([['b', { index: 4_001, keyRef: 7 }]]));
  });

  test('notes no message of the server, which no journal could give back', () => {
    const { table, store } = openTable();
    table.set(message('$holdfast/time', '1', { index: -1 }));
    table.set(message('$holdfast/time', '2', { index: -1 }));
    assert.deepEqual(found(table, '$holdfast/#'), ['$holdfast/time 2']);
    table.set(message('$holdfast/time', '', { index: -1 }));
    assert.equal(store.saveCount, 0);
    table.set(message('t', '1'));
    table.set(message('t', '2', { index: -1 }));
    assert.deepEqual([store.saveCount, store.refs.size], [2, 0]);
  });

  test('agrees with a map, whatever was set and removed before', () => {
    const step = fc.record({
      topic: anyTopic,
      text: fc.constantFrom('', 'x', 'yy'),
      principal: fc.constantFrom('p', 'q'),
      lifeMs: fc.constantFrom(3, 10, Number.POSITIVE_INFINITY),
    });
    const steps = fc.array(step, { maxLength: 30 });
    fc.assert(
      fc.property(steps, fc.array(anyFilter, { maxLength: 10 }), (steps, filters) => {
        const { table, store, clock } = openTable();
        const model = new Map<string, TestMessage>();
        for (const { topic, text, principal, lifeMs } of steps) {
          clock.ms += 1;
          const next = message(topic, text, { principal, expiresAtMs: clock.ms + lifeMs });
          table.set(next);
          if (text === '') model.delete(topic);
          else model.set(topic, next);
        }
        const alive = [...model.values()].filter(({ expiresAtMs }) => expiresAtMs > clock.ms);
        for (const filter of filters) {
          const expected = alive
            .filter(({ topic }) => topicMatches(filter, topic))
            .map(({ topic, payload }) => `${topic} ${Buffer.from(payload).toString()}`);
          assert.deepEqual(found(table, filter), expected.sort(), filter);
        }
        for (const filter of ['#', '$s/#']) found(table, filter);
        const bytes = alive.reduce((sum, { payload }) => sum + payload.length, 0);
        assert.deepEqual([table.count, table.bytes], [alive.length, bytes]);
        assert.deepEqual([...store.refs.keys()].sort(), alive.map(({ topic }) => topic).sort());
        for (const { topic } of alive) table.set(message(topic, ''));
        assert.ok(table.isEmpty);
        assert.equal(store.refs.size, 0);
      }),
      { numRuns: 500 },
    );
  });
});
