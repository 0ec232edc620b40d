import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type Journal, type JournaledMessage, MessageJournal } from '../journal/index.ts';
import type { Keyring } from '../persistence/index.ts';
import type { MessageRef } from '../session/index.ts';
import { TestClock } from '../session/lab.testing.ts';
import {
  TestMessage,
  TestReceiver,
  TestStore,
  anyFilter,
  anyOptions,
  anyTopic,
  limits,
  subscription,
} from './lab.testing.ts';
import { RETAINED_PAUSE_MS, RETAINED_SLICE_COUNT } from './limits.ts';
import { Router } from './router.ts';

function openRouter(smaller: Parameters<typeof limits>[0] = {}): {
  router: Router;
  store: TestStore;
  clock: TestClock;
} {
  const [store, clock] = [new TestStore(), new TestClock()];
  return { router: new Router({ clock, store, limits: limits(smaller) }), store, clock };
}

const STATE = 'd/pump-1/state';

describe('Router', () => {
  test('brings a journaled message to its subscribers, and keeps it if it asks so', async () => {
    const { router, store } = openRouter();
    const receiver = new TestReceiver();
    router.subscribe('d/+/state', receiver, subscription());
    const place = { index: 4, keyRef: 2 };
    const journaled = await readBack(place);
    assert.deepEqual(router.route(journaled), { receivers: 1, refusal: undefined });
    assert.equal(receiver.deliveries[0]?.message, journaled);
    assert.deepEqual(store.refs, new Map([[STATE, place]]));
    assert.equal(router.lastIndex, 4);
  });

  test('keeps the newest retained message for new subscriptions [MQTT-3.3.1-5] [MQTT-3.3.1-9]', () => {
    const { router, store } = openRouter();
    router.routeMessage(new TestMessage(STATE, { index: 1, retain: true }));
    router.routeMessage(new TestMessage(STATE, { index: 2, retain: true }));
    const late = new TestReceiver();
    router.deliverRetained('d/+/state', late, subscription());
    assert.deepEqual(late.indexes, [2]);
    assert.equal(late.deliveries[0]?.retain, true);
    assert.deepEqual(store.refs.get(STATE), { index: 2, keyRef: 7 });
    const elsewhere = new TestReceiver();
    router.deliverRetained('d/+/telemetry/#', elsewhere, subscription());
    assert.deepEqual(elsewhere.indexes, []);
    assert.deepEqual([router.retainedCount, router.retainedBytes], [1, 7]);
  });

  test('leaves it alone when a message is not to be retained [MQTT-3.3.1-8]', () => {
    const { router } = openRouter();
    const receiver = new TestReceiver();
    router.routeMessage(new TestMessage(STATE, { index: 1, retain: true }));
    router.routeMessage(new TestMessage(STATE, { index: 2 }));
    router.routeMessage(new TestMessage(STATE, { index: 3, payload: new Uint8Array(0) }));
    router.deliverRetained(STATE, receiver, subscription());
    assert.deepEqual(receiver.indexes, [1]);
  });

  test('delivers what empties a retained message, as any other [MQTT-3.3.1-6]', () => {
    const { router } = openRouter();
    const receiver = new TestReceiver();
    router.subscribe(STATE, receiver, subscription());
    router.routeMessage(new TestMessage(STATE, { index: 1, retain: true }));
    const empty = { index: 2, retain: true, payload: new Uint8Array(0) };
    router.routeMessage(new TestMessage(STATE, empty));
    assert.deepEqual(receiver.indexes, [1, 2]);
    assert.equal(router.retainedCount, 0);
  });

  test('hands the retained message over with the smaller QoS [MQTT-3.8.4-8]', () => {
    const { router } = openRouter();
    const receiver = new TestReceiver();
    router.routeMessage(new TestMessage('a', { qos: 1, retain: true }));
    router.deliverRetained('a', receiver, subscription({ qos: 2 }));
    router.deliverRetained('a', receiver, subscription({ qos: 0 }));
    assert.deepEqual(
      receiver.deliveries.map(({ qos }) => qos),
      [1, 0],
    );
  });

  test('sends no retained messages for a shared subscription (MQTT 5 §4.8.2)', () => {
    const { router } = openRouter();
    const receiver = new TestReceiver();
    for (const topic of ['a', '$share/g/a']) {
      router.routeMessage(new TestMessage(topic, { retain: true }));
    }
    router.subscribe('$share/g/a', receiver, subscription());
    router.deliverRetained('$share/g/a', receiver, subscription());
    assert.deepEqual(receiver.indexes, []);
    assert.equal(router.sharedCount, 1);
  });

  test('tells how many got a message, and why it could not be retained', () => {
    const { router } = openRouter({ countMax: 1 });
    router.subscribe('#', new TestReceiver(), subscription());
    router.subscribe('a', new TestReceiver(), subscription());
    assert.deepEqual(router.routeMessage(new TestMessage('a', { index: 1, retain: true })), {
      receivers: 2,
      refusal: undefined,
    });
    const { receivers, refusal } = router.routeMessage(
      new TestMessage('b', { index: 2, retain: true }),
    );
    assert.deepEqual([receivers, refusal?.code], [1, 'E_ROUTE_RETAINED']);
  });

  test('delivers no message beyond its end [MQTT-3.3.2-5]', () => {
    const { router, clock } = openRouter();
    const receiver = new TestReceiver();
    router.subscribe('#', receiver, subscription());
    const expiresAtMs = clock.nowMs() + 1;
    router.routeMessage(new TestMessage('a', { index: 1, expiresAtMs, retain: true }));
    clock.advance(1);
    router.routeMessage(new TestMessage('a', { index: 2, expiresAtMs, retain: true }));
    router.deliverRetained('a', receiver, subscription());
    assert.deepEqual(receiver.indexes, [1]);
    assert.ok(router.retainedCount === 0 && router.lastIndex === 2);
  });

  test('counts a message as routed once all have it', () => {
    const { router } = openRouter();
    const receiver = new TestReceiver();
    const seen: number[] = [];
    receiver.onDeliver = () => seen.push(router.lastIndex);
    router.subscribe('#', receiver, subscription());
    assert.equal(router.lastIndex, -1);
    for (const index of [3, -1, 4]) router.routeMessage(new TestMessage('a', { index }));
    assert.deepEqual([seen, router.lastIndex], [[-1, 3, 3], 4]);
    router.resumeAfter(9);
    router.resumeAfter(8);
    assert.equal(router.lastIndex, 9);
  });

  test('goes on after a restart with what was retained and what was not routed yet', () => {
    const { router, store } = openRouter();
    const [recorded, behind] = [new TestReceiver(), new TestReceiver()];
    [recorded.recordedIndex, behind.recordedIndex] = [6, 5];
    router.restoreRetained(new TestMessage('a', { index: 6, retain: true }));
    router.subscribe('$share/g/a', recorded, subscription());
    router.subscribe('$share/g/a', behind, subscription());
    for (const index of [5, 6, 7]) router.replay(new TestMessage('a', { index, retain: true }));
    router.replay(new TestMessage('b', { index: 8, retain: true }));
    assert.deepEqual([recorded.indexes, behind.indexes], [[7], [6]]);
    assert.deepEqual(
      [...store.refs],
      [
        ['a', { index: 7, keyRef: 7 }],
        ['b', { index: 8, keyRef: 7 }],
      ],
    );
    assert.equal(router.lastIndex, 8);
  });

  test('drops what a session has not got yet of retained messages when it unsubscribes', () => {
    const { router, clock } = openRouter({ perDeviceMax: Number.POSITIVE_INFINITY });
    const count = RETAINED_SLICE_COUNT + 1;
    for (let index = 0; index < count; index += 1) {
      router.routeMessage(new TestMessage(`d/${index}`, { index, retain: true }));
    }
    const receiver = new TestReceiver();
    router.subscribe('#', receiver, subscription());
    router.deliverRetained('#', receiver, subscription());
    assert.equal(router.unsubscribe('#', receiver), true);
    clock.advance(RETAINED_PAUSE_MS);
    assert.ok(receiver.deliveries.length < count);
  });

  test('keeps nothing of sessions that are closed, whatever they did', () => {
    const filter = fc.oneof(
      anyFilter,
      anyFilter.map((filter) => `$share/g/${filter}`),
    );
    const session = fc.array(fc.tuple(filter, anyOptions), { maxLength: 8 });
    const topics = fc.array(anyTopic, { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(session, { maxLength: 4 }), topics, (sessions, topics) => {
        const { router } = openRouter();
        const open = sessions.map((wishes) => ({ wishes, receiver: new TestReceiver() }));
        for (const topic of topics) router.routeMessage(new TestMessage(topic, { retain: true }));
        for (const { wishes, receiver } of open) {
          // Not ready: so what is retained stays on its way.
          receiver.isReady = false;
          for (const [filter, options] of wishes) {
            router.subscribe(filter, receiver, options);
            router.deliverRetained(filter, receiver, options);
          }
        }
        for (const topic of topics) router.routeMessage(new TestMessage(topic));
        for (const { wishes, receiver } of open) {
          for (const [filter] of wishes) router.unsubscribe(filter, receiver);
        }
        const payload = new Uint8Array(0);
        for (const topic of topics) {
          router.routeMessage(new TestMessage(topic, { index: 1, retain: true, payload }));
        }
        assert.ok(router.isEmpty);
        assert.deepEqual([router.subscriptionCount, router.sharedCount], [0, 0]);
      }),
    );
  });
});

/** A message on `STATE`, as the journal gives it. */
async function readBack(place: MessageRef): Promise<JournaledMessage> {
  const entry = {
    kind: 'message',
    atMs: 1,
    principal: 'pump-1',
    topic: STATE,
    kid: '1.1',
    body: Buffer.from('{}'),
    qos: 1,
    retain: true,
    expiryS: undefined,
    properties: Buffer.alloc(0),
  };
  const journal = { fetch: () => Promise.resolve([{ ...place, entry }]) };
  const messages = new MessageJournal(journal as unknown as Journal, { keyring: {} as Keyring });
  const [journaled] = await messages.fetch([place]);
  return journaled ?? assert.fail();
}
