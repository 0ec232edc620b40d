import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { FrameSplitter } from './frame-splitter.ts';
import { REMAINING_LENGTH_MAX } from './limits.ts';
import { PacketRefusal } from './packet-refusal.ts';
import { clientPacket } from './random-packets.ts';
import { encodePacket, frame } from './test-support.ts';

interface Frame {
  readonly first: number;
  readonly body: Buffer;
}

function makeSplitter(packetBytesMax = 1_000_000): FrameSplitter {
  return new FrameSplitter({ packetBytesMax });
}

/** Takes all frames that are there; a refusal fails the test. */
function drain(splitter: FrameSplitter): Frame[] {
  const frames: Frame[] = [];
  let found = splitter.next();
  for (; found === true; found = splitter.next()) {
    const { first, buf, start, end } = splitter;
    frames.push({ first, body: Buffer.from(buf.subarray(start, end)) });
  }
  assert.equal(found, false);
  return frames;
}

function refusalOf(splitter: FrameSplitter): PacketRefusal {
  const found = splitter.next();
  assert.ok(found instanceof PacketRefusal, 'no refusal');
  return found;
}

function isSameMemory(left: Uint8Array, right: Uint8Array): boolean {
  return left.buffer === right.buffer && left.byteOffset === right.byteOffset;
}

/** Frames with remaining lengths of one, two and three bytes, and empty ones at both ends. */
const FRAMES = [
  frame(0xc0),
  frame(0x30, 'a', Buffer.alloc(124, 1)),
  frame(0x30, 'a', Buffer.alloc(125, 2)),
  frame(0x40, 0, 1),
  frame(0x30, 'a', Buffer.alloc(16_400, 3)),
  frame(0x82, 0, 1, 'a/b', 1),
  frame(0xe0),
];
const STREAM = Buffer.concat(FRAMES);
const EXPECTED = FRAMES.map((bytes): Frame => {
  const splitter = makeSplitter();
  splitter.push(bytes);
  const [only, ...rest] = drain(splitter);
  assert.ok(only !== undefined && rest.length === 0);
  return only;
});

describe('FrameSplitter', () => {
  test('cuts frames with remaining lengths of one to three bytes', () => {
    assert.deepEqual(
      EXPECTED.map(({ first, body }) => [first, body.length]),
      [
        [0xc0, 0],
        [0x30, 127],
        [0x30, 128],
        [0x40, 2],
        [0x30, 16_403],
        [0x82, 8],
        [0xe0, 0],
      ],
    );
  });

  test('gives the same frames wherever the stream is cut in two', () => {
    for (let at = 0; at <= STREAM.length; at += 1) {
      const splitter = makeSplitter();
      splitter.push(STREAM.subarray(0, at));
      const frames = drain(splitter);
      splitter.push(STREAM.subarray(at));
      frames.push(...drain(splitter));
      assert.deepEqual(frames, EXPECTED, `cut at ${at}`);
    }
  });

  test('gives the same frames in chunks of any one size', () => {
    for (const size of [1, 2, 3, 4, 5, 6, 7, 64, 1_023, 1_024, 1_025, 4_096]) {
      const splitter = makeSplitter();
      const frames: Frame[] = [];
      for (let at = 0; at < STREAM.length; at += size) {
        splitter.push(STREAM.subarray(at, at + size));
        frames.push(...drain(splitter));
      }
      assert.deepEqual(frames, EXPECTED, `chunks of ${size}`);
    }
  });

  test('gives the same frames for any packets, cut anywhere, paused anywhere', () => {
    const cuts = fc.array(fc.nat(3_000), { maxLength: 12 });
    const pauses = fc.infiniteStream(fc.nat(3));
    fc.assert(
      fc.property(
        fc.array(clientPacket(5), { maxLength: 8 }),
        cuts,
        pauses,
        (packets, cuts, pauses) => {
          const bytes = packets.map((packet) => encodePacket(packet, 5));
          const stream = Buffer.concat(bytes);
          const splitter = makeSplitter();
          const frames: Buffer[] = [];
          const take = (countMax: number): void => {
            for (let i = 0; i < countMax && splitter.next() === true; i += 1) {
              const { first, buf, start, end } = splitter;
              frames.push(frame(first, buf.subarray(start, end)));
            }
          };
          let at = 0;
          for (const cut of [...cuts.toSorted((a, b) => a - b), stream.length]) {
            splitter.push(stream.subarray(at, cut));
            at = Math.min(Math.max(at, cut), stream.length);
            take(pauses.next().value);
          }
          take(Infinity);
          assert.deepEqual(
            frames,
            bytes.map((one) => Buffer.from(one)),
          );
        },
      ),
    );
  });

  test('hands a frame within one chunk over where it lies', () => {
    const chunk = Buffer.concat([frame(0x40, 0, 1), frame(0x40, 0, 2)]);
    const splitter = makeSplitter();
    splitter.push(chunk);
    for (const [start, end] of [
      [2, 4],
      [6, 8],
    ]) {
      assert.equal(splitter.next(), true);
      assert.ok(isSameMemory(splitter.buf, chunk));
      assert.deepEqual([splitter.start, splitter.end], [start, end]);
    }
  });

  test('shows a Uint8Array even of a Buffer, so that slice() copies', () => {
    const chunk = frame(0x40, 0, 1);
    const splitter = makeSplitter();
    splitter.push(chunk);
    assert.equal(splitter.next(), true);
    const kept = splitter.buf.slice(splitter.start, splitter.end);
    chunk.fill(9);
    assert.deepEqual([...kept], [0, 1]);
  });

  test('keeps the rest of a chunk in place while its caller pauses', () => {
    const first = Buffer.concat([frame(0x40, 0, 1), frame(0x40, 0, 2)]);
    const second = frame(0x40, 0, 3);
    const splitter = makeSplitter();
    splitter.push(first);
    assert.equal(splitter.next(), true);
    splitter.push(second);
    assert.equal(splitter.next(), true);
    assert.ok(isSameMemory(splitter.buf, first));
    assert.equal(splitter.next(), true);
    assert.ok(isSameMemory(splitter.buf, second));
    assert.equal(splitter.next(), false);
  });

  test('never writes again into a frame that it handed over', () => {
    const splitter = makeSplitter();
    const bodies: Uint8Array[] = [];
    for (const id of [1, 2, 3]) {
      const bytes = frame(0x40, 0, id);
      splitter.push(bytes.subarray(0, 3));
      assert.equal(splitter.next(), false);
      splitter.push(bytes.subarray(3));
      assert.equal(splitter.next(), true);
      bodies.push(splitter.buf.subarray(splitter.start, splitter.end));
    }
    assert.deepEqual(
      bodies.map((body) => body[1]),
      [1, 2, 3],
    );
  });

  test('holds no chunk when everything is handed over', () => {
    const splitter = makeSplitter();
    splitter.push(frame(0xc0));
    assert.equal(splitter.next(), true);
    assert.equal(splitter.next(), false);
    assert.equal(splitter.buf.length, 0);
  });

  test('passes over empty chunks', () => {
    const splitter = makeSplitter();
    for (const chunk of [Buffer.alloc(0), Buffer.of(0xc0), Buffer.alloc(0), Buffer.of(0)]) {
      splitter.push(chunk);
    }
    assert.equal(drain(splitter).length, 1);
  });
});

describe('FrameSplitter limits', () => {
  test('accepts a packet at the limit and refuses one above it [E_WIRE_SIZE]', () => {
    const bytes = frame(0x30, 'a', Buffer.alloc(200));
    for (const packetBytesMax of [bytes.length, bytes.length + 1]) {
      const splitter = makeSplitter(packetBytesMax);
      splitter.push(bytes);
      assert.equal(splitter.next(), true);
    }
    const splitter = makeSplitter(bytes.length - 1);
    splitter.push(bytes);
    const refusal = refusalOf(splitter);
    assert.deepEqual([refusal.code, refusal.reasonCode], ['E_WIRE_SIZE', 0x95]);
  });

  test('refuses a packet above the limit before its body arrives [E_WIRE_SIZE]', () => {
    const header = Buffer.of(0x30, 0xff, 0xff, 0x03);
    for (let at = 0; at <= header.length; at += 1) {
      const splitter = makeSplitter(1_000);
      splitter.push(header.subarray(0, at));
      if (at < header.length) assert.equal(splitter.next(), false);
      splitter.push(header.subarray(at));
      assert.equal(refusalOf(splitter).code, 'E_WIRE_SIZE', `cut at ${at}`);
    }
  });

  test('takes the limit as it is at each packet', () => {
    const splitter = makeSplitter(4);
    splitter.push(Buffer.concat([frame(0x40, 0, 1), frame(0x30, 'a', Buffer.alloc(50))]));
    assert.equal(splitter.next(), true);
    splitter.packetBytesMax = 100;
    assert.equal(splitter.next(), true);
  });

  test('allocates for what has arrived, not for what is announced', () => {
    const before = process.memoryUsage().arrayBuffers;
    const splitters = Array.from({ length: 20 }, () => makeSplitter(REMAINING_LENGTH_MAX + 5));
    for (const splitter of splitters) {
      splitter.push(Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f, 0));
      assert.equal(splitter.next(), false);
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
  });

  test('copies each byte a bounded number of times when a peer drips', (t) => {
    const bytes = frame(0x30, 'a', Buffer.alloc(20_000));
    const splitter = makeSplitter();
    const { prototype } = Object.getPrototypeOf(Uint8Array) as { prototype: Uint8Array };
    const set = t.mock.method(prototype, 'set');
    for (let at = 0; at < bytes.length; at += 1) {
      assert.equal(splitter.next(), false);
      splitter.push(bytes.subarray(at, at + 1));
    }
    assert.equal(splitter.next(), true);
    const copied = set.mock.calls.reduce((sum, { arguments: [data] }) => sum + data.length, 0);
    assert.ok(copied < 4 * bytes.length, `${copied} bytes copied`);
  });

  test('refuses a remaining length of five bytes [E_WIRE_PACKET] (MQTT 3.1.1 §2.2.3)', () => {
    for (const bytes of [
      [0x30, 0x80, 0x80, 0x80, 0x80],
      [0x30, 0xff, 0xff, 0xff, 0xff, 0x01],
    ]) {
      const whole = makeSplitter();
      whole.push(Buffer.from(bytes));
      assert.equal(refusalOf(whole).code, 'E_WIRE_PACKET');
      const dripped = makeSplitter();
      for (const byte of bytes) dripped.push(Buffer.of(byte));
      const refusal = refusalOf(dripped);
      assert.deepEqual([refusal.code, refusal.reasonCode], ['E_WIRE_PACKET', 0x81]);
    }
  });

  test('accepts the largest remaining length of four bytes', () => {
    const splitter = makeSplitter(REMAINING_LENGTH_MAX + 5);
    splitter.push(Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f));
    assert.equal(splitter.next(), false);
    const smaller = makeSplitter(REMAINING_LENGTH_MAX + 4);
    smaller.push(Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f));
    assert.equal(refusalOf(smaller).code, 'E_WIRE_SIZE');
  });

  test('accepts a padded remaining length, unless told that MQTT 5 rules [MQTT-1.5.5-1]', () => {
    for (const padding of [
      [0x82, 0x00],
      [0x82, 0x80, 0x00],
      [0x82, 0x80, 0x80, 0x00],
    ]) {
      const bytes = Buffer.from([0x40, ...padding, 0, 7]);
      const lenient = makeSplitter();
      lenient.push(bytes);
      assert.deepEqual(drain(lenient), [{ first: 0x40, body: Buffer.of(0, 7) }]);
      const strict = makeSplitter();
      strict.requiresMinimalLength = true;
      strict.push(bytes);
      const refusal = refusalOf(strict);
      assert.deepEqual([refusal.code, refusal.reasonCode], ['E_WIRE_PACKET', 0x81]);
      assert.match(refusal.detail, /\[MQTT-1\.5\.5-1\]/u);
    }
    const strict = makeSplitter();
    strict.requiresMinimalLength = true;
    strict.push(STREAM);
    assert.deepEqual(drain(strict), EXPECTED);
  });

  test('refuses packet type 0 at its first byte (MQTT 3.1.1 §2.2.1, MQTT 5 §2.1.2)', () => {
    for (const first of [0x00, 0x01, 0x0f]) {
      const splitter = makeSplitter();
      splitter.push(frame(0x40, 0, 1));
      splitter.push(Buffer.of(first));
      assert.equal(splitter.next(), true);
      const refusal = refusalOf(splitter);
      assert.deepEqual([refusal.code, refusal.reasonCode], ['E_WIRE_PACKET', 0x82]);
    }
  });

  test('gives the same refusal ever after, whatever comes', () => {
    const splitter = makeSplitter(10);
    splitter.push(Buffer.of(0x30, 0x7f));
    const refusal = refusalOf(splitter);
    splitter.push(frame(0xc0));
    assert.equal(refusalOf(splitter), refusal);
  });
});
