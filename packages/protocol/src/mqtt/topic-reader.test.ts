import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { TOPICS_REMEMBERED_MAX, TOPIC_REMEMBERED_BYTES_MAX } from './limits.ts';
import type { PacketRefusal } from './packet-refusal.ts';
import { TopicReader, readTopic } from './topic-reader.ts';

/** The topic lies between other bytes, as it does in a packet. */
function read(reader: TopicReader, bytes: Uint8Array): string | PacketRefusal {
  const buf = Buffer.concat([Buffer.of(1, 2, 3), bytes, Buffer.of(9, 9)]);
  return reader.read(buf, 3, 3 + bytes.length);
}

describe('TopicReader', () => {
  test('reads what readTopic reads, however often and in whatever order', () => {
    const known = ['a', 'b', 'a/b', 'b/a', 'a/c', 'é', 'x/y/z', '', 'a+', 'a\u0001'];
    const bytes = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...known).map((topic) => Buffer.from(topic)) },
      fc.uint8Array({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 40 }), (topics) => {
        const reader = new TopicReader();
        for (const topic of topics) {
          assert.deepEqual(read(reader, topic), readTopic(topic, 0, topic.length));
        }
      }),
    );
  });

  test('keeps a copy: later bytes in the same memory change nothing', () => {
    const reader = new TopicReader();
    const buf = Buffer.from('topic');
    assert.equal(reader.read(buf, 0, 5), 'topic');
    buf[0] = 0x54;
    assert.equal(reader.read(buf, 0, 5), 'Topic');
    assert.equal(read(reader, Buffer.from('topic')), 'topic');
  });

  test('remembers the last few topics, up to a length, and forgets the others', (t) => {
    const decode = t.mock.method(TextDecoder.prototype, 'decode');
    const reader = new TopicReader();
    const topics = Array.from(
      { length: TOPICS_REMEMBERED_MAX + 1 },
      (_, i) => `long/topic/of/${i}`,
    );
    const decodesOf = (topic: string): number => {
      const before = decode.mock.callCount();
      assert.equal(read(reader, Buffer.from(topic)), topic);
      return decode.mock.callCount() - before;
    };
    assert.deepEqual(topics.map(decodesOf), Array(TOPICS_REMEMBERED_MAX + 1).fill(1));
    assert.deepEqual(topics.slice(1).map(decodesOf), Array(TOPICS_REMEMBERED_MAX).fill(0));
    assert.equal(decodesOf(topics[0] ?? ''), 1);
    const longest = 'x'.repeat(TOPIC_REMEMBERED_BYTES_MAX);
    assert.deepEqual([longest, longest].map(decodesOf), [1, 0]);
    assert.deepEqual([`${longest}x`, `${longest}x`].map(decodesOf), [1, 1]);
  });
});
