/**
 * Fuzzes the codec for some minutes: `node tools/fuzz-mqtt.ts --minutes 3`.
 * `--seed` repeats a run up to the input that failed.
 * @module
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import {
  Mutator,
  exercise,
  makeRandom,
} from '../packages/protocol/src/mqtt/fuzz-inputs.testing.ts';

/** Inputs from one set of samples. */
const ROUND_INPUTS = 50_000;
/** An input that takes longer is a hang. */
const INPUT_MS_MAX = 1_000;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '3' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? randomInt(2 ** 31));
const endMs = performance.now() + Number(values.minutes) * 60_000;
const total = { inputs: 0, packets: 0, refusals: 0, slowestMs: 0 };
process.stdout.write(`seed ${seed}\n`);

for (let round = 0; performance.now() < endMs; round += 1) {
  const random = makeRandom(seed + round);
  const mutator = new Mutator(random, { samplesPerKind: 200 });
  for (let i = 0; i < ROUND_INPUTS && performance.now() < endMs; i += 1) {
    const input = mutator.next();
    const startMs = performance.now();
    total.inputs += 1;
    try {
      const { packets, refusals } = exercise(input, random);
      total.packets += packets;
      total.refusals += refusals;
    } catch (cause) {
      const hex = Buffer.from(input).toString('hex');
      throw new Error(`seed ${seed}, round ${round}, input ${i}: ${hex}`, { cause });
    }
    const tookMs = performance.now() - startMs;
    total.slowestMs = Math.max(total.slowestMs, tookMs);
    if (tookMs > INPUT_MS_MAX) throw new Error(`${tookMs} ms for an input: seed ${seed + round}`);
  }
}
process.stdout.write(`${JSON.stringify(total)}\n`);
