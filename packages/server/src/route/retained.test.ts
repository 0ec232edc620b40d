import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { topicMatches } from '@holdfast/protocol';
import * as fc from 'fast-check';
import { RetainedTable } from './retained.ts';

interface Message {
  readonly payload: Uint8Array;
}

const message = (text: string): Message => ({ payload: Buffer.from(text) });
const EMPTY = message('');

/** What a filter finds, as "topic payload", in order. */
function found(table: RetainedTable<Message>, filter: string): string[] {
  const visits: string[] = [];
  table.matching(filter, (topic, { payload }) =>
    visits.push(`${topic} ${Buffer.from(payload).toString()}`),
  );
  return visits.toSorted();
}

describe('RetainedTable', () => {
  test('keeps the last message of each topic [MQTT-3.3.1-5]', () => {
    const table = new RetainedTable<Message>();
    table.set('a', message('1'));
    table.set('a', message('22'));
    table.set('a/b', message('3'));
    assert.deepEqual(found(table, '#'), ['a 22', 'a/b 3']);
    assert.deepEqual([table.count, table.bytes], [2, 3]);
  });

  test('finds what a new subscription gets [MQTT-3.3.1-6]', () => {
    const table = new RetainedTable<Message>();
    for (const topic of ['a', 'a/b', 'a/b/c', 'b', '/b', 'a/']) table.set(topic, message('m'));
    assert.deepEqual(found(table, 'a/b'), ['a/b m']);
    assert.deepEqual(found(table, 'a/#'), ['a m', 'a/ m', 'a/b m', 'a/b/c m']);
    assert.deepEqual(found(table, '+/b'), ['/b m', 'a/b m']);
    assert.deepEqual(found(table, '+/+/#'), ['/b m', 'a/ m', 'a/b m', 'a/b/c m']);
    assert.deepEqual(found(table, '+'), ['a m', 'b m']);
    assert.deepEqual(found(table, 'c/#'), []);
  });

  test('removes by an empty payload, and stores none [MQTT-3.3.1-10] [MQTT-3.3.1-11]', () => {
    const table = new RetainedTable<Message>();
    table.set('a', message('1'));
    table.set('a/b', message('2'));
    assert.equal(table.set('a', EMPTY), undefined);
    assert.equal(table.set('not/there', EMPTY), undefined);
    assert.deepEqual(found(table, '#'), ['a/b 2']);
    assert.deepEqual([table.count, table.bytes], [1, 1]);
  });

  test('keeps leading wildcards away from "$" topics [MQTT-4.7.2-1]', () => {
    const table = new RetainedTable<Message>();
    for (const topic of ['$s/a', 'x/$s', '$s']) table.set(topic, message('m'));
    assert.deepEqual(found(table, '#'), ['x/$s m']);
    assert.deepEqual(found(table, '+/#'), ['x/$s m']);
    assert.deepEqual(found(table, '+'), []);
    assert.deepEqual(found(table, '$s/#'), ['$s m', '$s/a m']);
  });

  test('refuses a message above the largest count [E_ROUTE_RETAINED]', () => {
    const table = new RetainedTable<Message>({ countMax: 2, bytesMax: 100 });
    assert.equal(table.set('a', message('1')), undefined);
    assert.equal(table.set('b', message('1')), undefined);
    assert.equal(table.set('c', message('1'))?.code, 'E_ROUTE_RETAINED');
    assert.equal(table.set('b', message('2')), undefined);
    assert.deepEqual(found(table, '#'), ['a 1', 'b 2']);
    table.set('a', EMPTY);
    assert.equal(table.set('c', message('1')), undefined);
  });

  test('refuses a message above the largest sum of bytes [E_ROUTE_RETAINED]', () => {
    const table = new RetainedTable<Message>({ countMax: 100, bytesMax: 4 });
    assert.equal(table.set('a', message('123')), undefined);
    assert.equal(table.set('b', message('12'))?.code, 'E_ROUTE_RETAINED');
    assert.equal(table.set('b', message('1')), undefined);
    assert.equal(table.set('a', message('321')), undefined);
    assert.equal(table.bytes, 4);
  });

  test('drops the former message when the new one does not fit [MQTT-3.3.1-7]', () => {
    const table = new RetainedTable<Message>({ countMax: 2, bytesMax: 4 });
    table.set('a', message('old'));
    assert.equal(table.set('a', message('newer'))?.code, 'E_ROUTE_RETAINED');
    assert.deepEqual(found(table, 'a'), []);
    assert.deepEqual([table.count, table.bytes], [0, 0]);
  });

  test('lets the visitor change the table', () => {
    const table = new RetainedTable<Message>();
    for (const topic of ['a', 'b', 'c']) table.set(topic, message('m'));
    let visits = 0;
    table.matching('+', (topic) => {
      visits += 1;
      table.set(topic, EMPTY);
      table.set(`${topic}${topic}`, message('m'));
    });
    assert.equal(visits, 3);
    assert.equal(table.count, 3);
  });

  test('agrees with topicMatches whatever was set and removed before', () => {
    const names = fc.constantFrom('a', 'b', '', '$s');
    const topic = fc
      .array(names, { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/'))
      .filter((text) => text !== '');
    const level = fc.oneof(names, fc.constant('+'));
    const filter = fc
      .tuple(fc.array(level, { maxLength: 3 }), fc.oneof(level, fc.constant('#')))
      .map(([parts, last]) => [...parts, last].join('/'));
    const step = fc.tuple(topic, fc.constantFrom('', 'x', 'yy'));
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.array(filter, { maxLength: 10 }),
        (steps, filters) => {
          const table = new RetainedTable<Message>();
          const model = new Map<string, string>();
          for (const [topic, payload] of steps) {
            table.set(topic, message(payload));
            if (payload === '') model.delete(topic);
            else model.set(topic, payload);
          }
          for (const filter of filters) {
            const expected = [...model]
              .filter(([topic]) => topicMatches(filter, topic))
              .map(([topic, payload]) => `${topic} ${payload}`);
            assert.deepEqual(found(table, filter), expected.toSorted(), filter);
          }
          const bytes = [...model.values()].join('').length;
          assert.deepEqual([table.count, table.bytes], [model.size, bytes]);
        },
      ),
      { numRuns: 500 },
    );
  });
});
