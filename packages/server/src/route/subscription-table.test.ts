import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseShared, topicMatches } from '@holdfast/protocol';
import type { Qos } from '@holdfast/protocol/mqtt';
import * as fc from 'fast-check';
import type { SubscriptionOptions } from '../session/index.ts';
import {
  TestMessage,
  TestReceiver,
  anyFilter,
  anyOptions,
  anyTopic,
  subscription,
} from './lab.testing.ts';
import { REMEMBERED_PLANS_MAX } from './limits.ts';
import { SubscriptionTable } from './subscription-table.ts';

/** What a receiver is to get: "1 retained [2,3]". */
function form({ qos, retain, ids }: { qos: Qos; retain: boolean; ids: readonly number[] }): string {
  return `${qos}${retain ? ' retained' : ''} [${ids.toSorted((a, b) => a - b).join(',')}]`;
}

function forms(receiver: TestReceiver): string[] {
  return receiver.deliveries.map(({ qos, retain, subscriptionIds: ids }) =>
    form({ qos, retain, ids }),
  );
}

function publish(table: SubscriptionTable, message: TestMessage): number {
  return table.planOf(message.topic).deliver(message);
}

describe('SubscriptionTable', () => {
  test('delivers once, with the largest QoS and all ids [MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-4]', () => {
    const table = new SubscriptionTable();
    const [one, other] = [new TestReceiver(), new TestReceiver()];
    table.add('a/#', one, subscription({ qos: 0, subscriptionId: 1 }));
    table.add('a/+', one, subscription({ qos: 2, subscriptionId: 2 }));
    table.add('a/b', one, subscription({ qos: 1 }));
    table.add('#', other, subscription({ qos: 0 }));
    assert.equal(publish(table, new TestMessage('a/b', { qos: 2 })), 2);
    assert.deepEqual(forms(one), ['2 [1,2]']);
    assert.deepEqual(forms(other), ['0 []']);
  });

  test('delivers with the smaller QoS of message and subscription [MQTT-3.8.4-8]', () => {
    for (const published of [0, 1, 2] as const) {
      const table = new SubscriptionTable();
      const receivers = ([0, 1, 2] as const).map((qos) => {
        const receiver = new TestReceiver();
        table.add('t', receiver, subscription({ qos }));
        return receiver;
      });
      publish(table, new TestMessage('t', { qos: published }));
      const granted = receivers.map(({ deliveries }) => deliveries[0]?.qos);
      assert.deepEqual(granted, [0, Math.min(1, published), published]);
    }
  });

  test('keeps the retain flag for who asks for it only [MQTT-3.3.1-12] [MQTT-3.3.1-13]', () => {
    const table = new SubscriptionTable();
    const [plain, keeping, both] = [new TestReceiver(), new TestReceiver(), new TestReceiver()];
    table.add('t', plain, subscription());
    table.add('t', keeping, subscription({ retainAsPublished: true }));
    table.add('t', both, subscription());
    table.add('#', both, subscription({ retainAsPublished: true }));
    publish(table, new TestMessage('t', { retain: true }));
    publish(table, new TestMessage('t', { retain: false }));
    assert.deepEqual(forms(plain), ['1 []', '1 []']);
    assert.deepEqual(forms(keeping), ['1 retained []', '1 []']);
    assert.deepEqual(forms(both), ['1 retained []', '1 []']);
  });

  test('brings nobody its own messages against its will [MQTT-3.8.3-3]', () => {
    const table = new SubscriptionTable();
    const [self, other, mixed] = [
      new TestReceiver('pump-1'),
      new TestReceiver('pump-2'),
      new TestReceiver('pump-1'),
    ];
    table.add('t', self, subscription({ noLocal: true }));
    table.add('t', other, subscription({ noLocal: true }));
    table.add('t', mixed, subscription({ noLocal: true, qos: 2, subscriptionId: 1 }));
    table.add('#', mixed, subscription({ qos: 0, subscriptionId: 2 }));
    assert.equal(publish(table, new TestMessage('t', { principal: 'pump-1', qos: 2 })), 2);
    assert.deepEqual([forms(self), forms(other), forms(mixed)], [[], ['1 []'], ['0 [2]']]);
    assert.equal(publish(table, new TestMessage('t', { principal: 'pump-3', qos: 2 })), 3);
    assert.deepEqual(forms(mixed), ['0 [2]', '2 [1,2]']);
  });

  test('replaces the options of an existing subscription [MQTT-3.8.4-3]', () => {
    const table = new SubscriptionTable();
    const receiver = new TestReceiver();
    assert.equal(table.add('a', receiver, subscription({ qos: 2 })), true);
    assert.equal(table.add('a', receiver, subscription({ qos: 0 })), false);
    assert.equal(table.count, 1);
    publish(table, new TestMessage('a', { qos: 2 }));
    assert.deepEqual(forms(receiver), ['0 []']);
    assert.equal(table.remove('a', receiver), true);
    assert.equal(table.remove('a', receiver), false);
    assert.ok(table.isEmpty);
  });

  test('removes only what it is told to [MQTT-3.10.4-2]', () => {
    const table = new SubscriptionTable();
    const [x, y] = [new TestReceiver(), new TestReceiver()];
    table.add('a/b', x, subscription());
    table.add('a/b', y, subscription());
    for (const filter of ['a/b/c', 'b', 'a', 'a/+', '$share/g/a/b']) {
      assert.equal(table.remove(filter, x), false, filter);
    }
    assert.equal(table.remove('a/b', x), true);
    assert.equal(publish(table, new TestMessage('a/b')), 1);
    assert.equal(y.deliveries.length, 1);
  });

  test('shares by name and filter, beside what is subscribed plainly (MQTT 5 §4.8.2)', () => {
    const table = new SubscriptionTable();
    const [x, y, z] = [new TestReceiver(), new TestReceiver(), new TestReceiver()];
    table.add('$share/g/a/+', x, subscription());
    table.add('$share/g/a/+', y, subscription());
    table.add('$share/h/a/+', z, subscription());
    table.add('$share/g/a/b', z, subscription());
    table.add('a/b', x, subscription());
    assert.deepEqual([table.count, table.groupCount], [5, 3]);
    assert.equal(publish(table, new TestMessage('a/b')), 4);
    assert.equal(publish(table, new TestMessage('a/b')), 4);
    // x plainly twice, x and y in turn, z for each of its two groups.
    const counts = [x, y, z].map(({ deliveries }) => deliveries.length);
    assert.deepEqual(counts, [3, 1, 4]);
    for (const [filter, receiver] of [
      ['$share/g/a/+', x],
      ['$share/g/a/+', y],
      ['$share/h/a/+', z],
      ['$share/g/a/b', z],
    ] as const) {
      assert.equal(table.remove(filter, receiver), true);
      assert.equal(table.remove(filter, receiver), false);
    }
    assert.deepEqual([table.count, table.groupCount], [1, 0]);
    assert.equal(publish(table, new TestMessage('a/b')), 1);
  });

  test('keeps shared wildcards away from "$" topics too [MQTT-4.7.2-1]', () => {
    const table = new SubscriptionTable();
    table.add('$share/g/#', new TestReceiver(), subscription());
    assert.equal(publish(table, new TestMessage('$holdfast/time')), 0);
    assert.equal(publish(table, new TestMessage('time')), 1);
  });

  test('lets receivers subscribe and unsubscribe while they are served', () => {
    const table = new SubscriptionTable();
    const receivers = [new TestReceiver(), new TestReceiver()];
    const late = new TestReceiver();
    for (const receiver of receivers) {
      table.add('t', receiver, subscription());
      receiver.onDeliver = () => {
        for (const other of receivers) table.remove('t', other);
        table.add('t', late, subscription());
      };
    }
    assert.equal(publish(table, new TestMessage('t')), 2);
    assert.equal(late.deliveries.length, 0);
    assert.equal(publish(table, new TestMessage('t')), 1);
    assert.equal(late.deliveries.length, 1);
  });

  test('gives one delivery object to all who get the same', () => {
    const table = new SubscriptionTable();
    const receivers = ([0, 2, 1, 2, 1] as const).map((qos, i) => {
      const receiver = new TestReceiver();
      table.add('t', receiver, subscription({ qos, retainAsPublished: i > 2 }));
      return receiver;
    });
    const distinct = (message: TestMessage): number => {
      publish(table, message);
      return new Set(receivers.map(({ deliveries }) => deliveries.at(-1))).size;
    };
    assert.equal(distinct(new TestMessage('t', { qos: 0 })), 1);
    assert.equal(distinct(new TestMessage('t', { qos: 1 })), 2);
    assert.equal(distinct(new TestMessage('t', { qos: 2 })), 3);
  });

  test('remembers plans up to a limit, and no longer than subscriptions stay the same', () => {
    const table = new SubscriptionTable();
    const receiver = new TestReceiver();
    table.add('t/0', receiver, subscription());
    const first = table.planOf('t/0');
    for (let i = 1; i < REMEMBERED_PLANS_MAX; i += 1) table.planOf(`t/${i}`);
    assert.equal(table.planOf('t/0'), first);
    table.planOf('one more');
    const second = table.planOf('t/0');
    assert.notEqual(second, first);
    table.add('t/0', receiver, subscription({ qos: 0 }));
    assert.notEqual(table.planOf('t/0'), second);
    table.remove('t/0', receiver);
    assert.equal(publish(table, new TestMessage('t/0')), 0);
  });

  // Goal: who gets what is right, whatever happened before. Method: random subscriptions and
  // removals, with messages in between so that plans are remembered, against topicMatches and the
  // rules of overlapping subscriptions written down a second time; at last nothing may be left.
  test('agrees with topicMatches and the rules of options and sharing', () => {
    const shared = fc.tuple(fc.constantFrom('g', 'h'), anyFilter).map((parts) => {
      const [name, filter] = parts;
      return `$share/${name}/${filter}`;
    });
    const who = fc.nat({ max: 2 });
    const step = fc.oneof(
      fc.record({
        what: fc.constant('add' as const),
        filter: fc.oneof(anyFilter, shared),
        options: anyOptions,
        who,
      }),
      fc.record({ what: fc.constant('remove' as const), pick: fc.nat(), who }),
      fc.record({
        what: fc.constant('publish' as const),
        topic: anyTopic,
        principal: fc.constantFrom('x', 'y', 'someone'),
        qos: fc.constantFrom<Qos[]>(0, 1, 2),
        retain: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const table = new SubscriptionTable();
        const receivers = ['x', 'y', 'x'].map((principal) => new TestReceiver(principal));
        const model: Model = [];
        for (const step of steps) {
          if (step.what === 'publish') {
            checkPublish({ table, receivers, model }, new TestMessage(step.topic, step));
            continue;
          }
          const receiver = receivers[step.who] ?? assert.fail();
          const filter =
            step.what === 'add' ? step.filter : model[step.pick % model.length]?.filter;
          if (filter === undefined) continue;
          const at = model.findIndex(
            (known) => known.filter === filter && known.receiver === receiver,
          );
          if (step.what === 'remove') {
            assert.equal(table.remove(filter, receiver), at !== -1);
            if (at !== -1) model.splice(at, 1);
          } else {
            const { options } = step;
            assert.equal(table.add(filter, receiver, options), at === -1);
            model.splice(at === -1 ? model.length : at, 1, { filter, receiver, options });
          }
          assert.equal(table.count, model.length);
        }
        for (const { filter, receiver } of model) table.remove(filter, receiver);
        assert.deepEqual([table.isEmpty, table.count, table.groupCount], [true, 0, 0]);
      }),
      { numRuns: 1_000 },
    );
  });
});

type Model = {
  readonly filter: string;
  readonly receiver: TestReceiver;
  readonly options: SubscriptionOptions;
}[];

function checkPublish(
  world: { table: SubscriptionTable; receivers: readonly TestReceiver[]; model: Model },
  message: TestMessage,
): void {
  const { table, receivers, model } = world;
  const { topic, principal, retain } = message;
  for (const receiver of receivers) receiver.deliveries.length = 0;
  const count = publish(table, message);
  /** How each group could be served: the form for each of its members. */
  const groups = new Map<string, [TestReceiver, string][]>();
  const plain = new Map<TestReceiver, SubscriptionOptions[]>();
  for (const { filter, receiver, options } of model) {
    const bare = parseShared(filter)?.filter;
    if (!topicMatches(bare ?? filter, topic)) continue;
    if (bare !== undefined) {
      groups.set(filter, [...(groups.get(filter) ?? []), [receiver, expected([options], message)]]);
    } else if (!options.noLocal || receiver.principal !== principal) {
      plain.set(receiver, [...(plain.get(receiver) ?? []), options]);
    }
  }
  const got = new Map(receivers.map((receiver) => [receiver, forms(receiver)]));
  for (const [receiver, options] of plain) {
    assert.equal(got.get(receiver)?.shift(), expected(options, message), `${topic} ${retain}`);
  }
  assert.equal([...got.values()].flat().length, groups.size, 'one delivery for each group');
  assert.equal(count, plain.size + groups.size);
  // Each delivery beyond the plain ones is one that some group could make to this receiver.
  for (const [receiver, deliveries] of got) {
    const possible = [...groups.values()].flat().filter(([member]) => member === receiver);
    for (const form of deliveries) {
      const at = possible.findIndex(([, other]) => other === form);
      assert.notEqual(at, -1, form);
      possible.splice(at, 1);
    }
  }
}

function expected(options: readonly SubscriptionOptions[], message: TestMessage): string {
  const qos = Math.min(message.qos, Math.max(...options.map((option) => option.qos)));
  return form({
    qos: qos === 0 ? 0 : qos === 1 ? 1 : 2,
    retain: message.retain && options.some((option) => option.retainAsPublished),
    ids: options.flatMap(({ subscriptionId }) => subscriptionId ?? []),
  });
}
