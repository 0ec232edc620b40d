import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeSession, encodeSession } from './session-record.ts';

const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);
const uint32 = fc.integer({ min: 0, max: 0xff_ff_ff_ff });
const time = fc.integer({ min: 1, max: 2 ** 47 });
const options = fc.record(
  {
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    subscriptionId: fc.option(fc.integer({ min: 1, max: 268_435_455 }), { nil: undefined }),
  },
  { noNullPrototype: true },
);
const item = fc.record(
  {
    index: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    keyRef: uint32,
    qos: fc.constantFrom(1 as const, 2 as const),
    retain: fc.boolean(),
    isReleased: fc.boolean(),
    packetId: fc.integer({ min: 0, max: 65_535 }),
    expiresAtMs: fc.oneof(time, fc.constant(Number.POSITIVE_INFINITY)),
    bytes: uint32,
    subscriptionIds: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 5 }),
  },
  { noNullPrototype: true },
);
const record = fc.record(
  {
    expiryS: uint32,
    endsAtMs: fc.option(time, { nil: undefined }),
    subscriptions: fc.array(fc.tuple(fc.string(), options), { maxLength: 5 }),
    receivedIds: fc.array(fc.integer({ min: 1, max: 65_535 }), { maxLength: 5 }),
    queue: fc.array(item, { maxLength: 20 }),
    lastIndex: fc.integer({ min: -1, max: 2 ** 48 - 1 }),
  },
  { noNullPrototype: true },
);

test('a session is read as it was written, wherever its bytes lie', () => {
  fc.assert(
    fc.property(record, fc.nat(9), (session, offset) => {
      const bytes = encodeSession(session);
      const moved = new Uint8Array(bytes.length + offset);
      moved.set(bytes, offset);
      assert.deepEqual(decodeSession(moved.subarray(offset)), session);
    }),
  );
});

test('what is cut off is no session', () => {
  const bytes = encodeSession({
    expiryS: 1,
    endsAtMs: undefined,
    subscriptions: [],
    receivedIds: [],
    lastIndex: 0,
    queue: [
      {
        index: 1,
        keyRef: 1,
        qos: 1,
        retain: false,
        isReleased: false,
        packetId: 0,
        expiresAtMs: 1,
        bytes: 1,
        subscriptionIds: [],
      },
    ],
  });
  for (const end of [0, 3, 10, bytes.length - 1]) {
    assert.throws(() => decodeSession(bytes.subarray(0, end)));
  }
});
