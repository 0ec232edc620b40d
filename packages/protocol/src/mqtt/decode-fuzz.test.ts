import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { Mutator, type Random, exercise, makeRandom } from './fuzz-inputs.testing.ts';

/** Inputs of each kind; `tools/fuzz-mqtt.ts` goes on for as long as one likes. */
const INPUTS = 40_000;

function fuzz(title: string, makeInputs: (random: Random) => () => Uint8Array): void {
  test(title, (t) => {
    const seed = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31));
    t.diagnostic(`seed ${seed}; FUZZ_SEED repeats it`);
    const random = makeRandom(seed);
    const next = makeInputs(random);
    for (let i = 0; i < INPUTS; i += 1) {
      const input = next();
      try {
        exercise(input, random);
      } catch (cause) {
        const hex = Buffer.from(input).toString('hex');
        throw new Error(`seed ${seed}, input ${i}: ${hex}`, { cause });
      }
    }
  });
}

fuzz('never throws for random bytes, in any version', (random) => () => {
  const bytes = new Uint8Array(random(24));
  for (const i of bytes.keys()) bytes[i] = random(256);
  // Otherwise most inputs would announce more bytes than there are.
  if (bytes.length > 1 && random(4) > 0) bytes[1] = bytes.length - 2;
  return bytes;
});

fuzz('never throws for mutated packets, in any version', (random) => {
  const mutator = new Mutator(random, { samplesPerKind: 100 });
  return () => mutator.next();
});
