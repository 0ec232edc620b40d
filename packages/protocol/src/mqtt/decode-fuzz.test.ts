import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Refusal } from '../refusal.ts';
import { decodeFromClient, decodeFromServer } from './decode.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { clientPacket, encodePacket, serverPacket } from './test-support.ts';

/** Inputs of each kind. */
const INPUTS = 150_000;

/** A small generator of our own, so that hundreds of thousands of inputs cost a second. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Decodes what the bytes hold; whatever is accepted must come back from its own encoding. */
function exercise(bytes: Uint8Array, random: (below: number) => number): void {
  const decode = random(2) === 0 ? decodeFromClient : decodeFromServer;
  const splitter = new FrameSplitter({ packetBytesMax: 1_000 });
  const cut = random(bytes.length + 1);
  splitter.push(bytes.subarray(0, cut));
  splitter.push(bytes.subarray(cut));
  while (splitter.next() === true) {
    const packet = decode(splitter.first, splitter.buf, splitter.start, splitter.end);
    if (packet instanceof Refusal || packet.type === 'connectUnsupported') continue;
    const again = encodePacket(packet);
    const headerBytes = again.length < 130 ? 2 : 3;
    assert.deepEqual(decode(again[0] ?? 0, again, headerBytes, again.length), packet);
  }
}

function fuzz(title: string, makeInput: (random: (below: number) => number) => Uint8Array): void {
  test(title, (t) => {
    const seed = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31));
    t.diagnostic(`seed ${seed}; FUZZ_SEED repeats it`);
    const random = makeRandom(seed);
    for (let i = 0; i < INPUTS; i += 1) {
      const input = makeInput(random);
      try {
        exercise(input, random);
      } catch (cause) {
        const hex = Buffer.from(input).toString('hex');
        throw new Error(`seed ${seed}, input ${i}: ${hex}`, { cause });
      }
    }
  });
}

fuzz('never throws for random bytes', (random) => {
  const bytes = new Uint8Array(random(24));
  for (const i of bytes.keys()) bytes[i] = random(256);
  // Otherwise most inputs would announce more bytes than there are.
  if (bytes.length > 1 && random(4) > 0) bytes[1] = bytes.length - 2;
  return bytes;
});

const SAMPLES = fc
  .sample(fc.oneof(clientPacket, serverPacket), { numRuns: 500, seed: 1 })
  .map(encodePacket)
  .filter((bytes) => bytes.length < 400);

fuzz('never throws for mutated packets', (random) => {
  const sample = SAMPLES[random(SAMPLES.length)];
  assert.ok(sample !== undefined);
  let bytes = sample.slice();
  for (let changes = 1 + random(3); changes > 0; changes -= 1) {
    const at = random(bytes.length);
    const kind = random(4);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    else if (kind === 2) bytes = bytes.subarray(0, at + 1);
    else bytes = Uint8Array.of(...bytes.subarray(0, at), random(256), ...bytes.subarray(at));
  }
  return bytes;
});
