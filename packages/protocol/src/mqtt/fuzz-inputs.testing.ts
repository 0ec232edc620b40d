/** Broken packets without end, and what must hold for each, for the tests of the codec. @module */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { decodeFromClient, decodeFromServer } from './decode.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { PacketRefusal } from './packet-refusal.ts';
import type { ProtocolLevel } from './packets.ts';
import { clientPacket, serverPacket } from './random-packets.ts';
import { REASON } from './reason-codes.ts';
import { type Sender, encodePacket, variable } from './test-support.ts';
import { TopicReader } from './topic-reader.ts';

/** Gives an integer from 0 up to, without, `below`. */
export type Random = (below: number) => number;

/** A small generator of our own, so that hundreds of thousands of inputs cost a second. */
export function makeRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What came of an input. */
export interface Outcome {
  packets: number;
  refusals: number;
}

/**
 * Decodes what the bytes hold, in two chunks. A refusal must have a reason; whatever is accepted
 * must come back from its own encoding.
 */
export function exercise(bytes: Uint8Array, random: Random): Outcome {
  const level = ([3, 4, 5, 5, 5] as const)[random(5)] ?? 5;
  const sender = random(2) === 0 ? 'client' : 'server';
  const splitter = new FrameSplitter({ packetBytesMax: 100_000 });
  splitter.requiresMinimalLength = level === 5;
  const topics = new TopicReader();
  const outcome = { packets: 0, refusals: 0 };
  const cut = random(bytes.length + 1);
  splitter.push(bytes.subarray(0, cut));
  splitter.push(bytes.subarray(cut));
  for (;;) {
    const found = splitter.next();
    if (found === false) return outcome;
    if (found !== true) {
      assertReasoned(found);
      outcome.refusals += 1;
      return outcome;
    }
    const decode = sender === 'client' ? decodeFromClient : decodeFromServer;
    const packet = decode(
      splitter.first,
      splitter.buf,
      splitter.start,
      splitter.end,
      level,
      topics,
    );
    if (packet instanceof PacketRefusal) {
      assertReasoned(packet);
      outcome.refusals += 1;
      continue;
    }
    outcome.packets += 1;
    if (packet.type === 'connectUnsupported') continue;
    assert.deepEqual(decodeAgain(sender, encodePacket(packet, level), level), packet);
  }
}

/** Breaks packets of the grammar: bytes, bits, lengths, order; and mends the outer length. */
export class Mutator {
  readonly #samples: readonly Uint8Array[];
  readonly #random: Random;

  constructor(random: Random, options: { readonly samplesPerKind: number }) {
    this.#random = random;
    this.#samples = ([3, 4, 5] as const).flatMap((level) =>
      [clientPacket(level), serverPacket(level)].flatMap((arbitrary) =>
        fc
          .sample(arbitrary, { numRuns: options.samplesPerKind, seed: random(2 ** 31) })
          .map((packet) => encodePacket(packet, level).slice()),
      ),
    );
  }

  /** The next input. */
  next(): Uint8Array {
    const random = this.#random;
    let bytes = this.#sample();
    for (let changes = 1 + random(4); changes > 0; changes -= 1) bytes = this.#change(bytes);
    if (random(4) > 0) bytes = mendLength(bytes);
    return random(8) === 0 ? Buffer.concat([bytes, this.#sample()]) : bytes;
  }

  #sample(): Uint8Array {
    return this.#samples[this.#random(this.#samples.length)]?.slice() ?? new Uint8Array(0);
  }

  #change(bytes: Uint8Array): Uint8Array {
    const random = this.#random;
    const at = random(bytes.length + 1);
    const to = at + random(bytes.length + 1 - at);
    const head = bytes.subarray(0, at);
    switch (random(8)) {
      case 0:
        return Buffer.concat([head, Buffer.of(random(256)), bytes.subarray(at + 1)]);
      case 1:
        return Buffer.concat([
          head,
          Buffer.of((bytes[at] ?? 0) ^ (1 << random(8))),
          bytes.subarray(at + 1),
        ]);
      case 2:
        return head;
      case 3:
        return Buffer.concat([head, Buffer.of(random(256)), bytes.subarray(at)]);
      case 4:
        return Buffer.concat([head, bytes.subarray(to)]);
      case 5:
        return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
      case 6: {
        const other = this.#sample();
        return Buffer.concat([head, other.subarray(random(other.length))]);
      }
      default: {
        const telling = TELLING[random(TELLING.length)] ?? 0;
        return Buffer.concat([head, Buffer.of(telling), bytes.subarray(at + 1)]);
      }
    }
  }
}

function assertReasoned(refusal: PacketRefusal): void {
  assert.ok(REASONS.has(refusal.reasonCode) && refusal.reasonCode >= 0x80, refusal.detail);
  assert.ok(refusal.detail !== '');
}

/** The bytes are an encoding of ours: one frame, nothing else. */
function decodeAgain(sender: Sender, bytes: Uint8Array, level: ProtocolLevel): unknown {
  const splitter = new FrameSplitter({ packetBytesMax: 200_000 });
  splitter.requiresMinimalLength = true;
  splitter.push(bytes);
  assert.equal(splitter.next(), true);
  const decode = sender === 'client' ? decodeFromClient : decodeFromServer;
  assert.equal(splitter.end, bytes.length);
  return decode(splitter.first, splitter.buf, splitter.start, splitter.end, level);
}

/** Sets the remaining length to what there is, so that the change reaches the decoder. */
function mendLength(bytes: Uint8Array): Uint8Array {
  let start = 1;
  while (start < 5 && start < bytes.length && (bytes[start] ?? 0) >= 0x80) start += 1;
  const body = bytes.subarray(start + 1);
  return Buffer.concat([bytes.subarray(0, 1), variable(body.length), body]);
}

const REASONS: ReadonlySet<number> = new Set(Object.values(REASON));
/** Bytes at the edges of what fields allow. */
const TELLING = [0x00, 0x01, 0x02, 0x03, 0x0b, 0x23, 0x26, 0x27, 0x2a, 0x7f, 0x80, 0xc0, 0xff];
