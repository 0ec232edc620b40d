/** A process that rotates the key-encryption key of a registry, to be killed. @module */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Secret, systemRandom } from '../kernel/index.ts';
import { SealedStore } from './sealed-store.ts';

/** Longer than it takes to be killed. */
const STANDSTILL_MS = 60_000;

const [path = '', keyFile = '', stepsMax = 'Infinity'] = process.argv.slice(2);
const unsealKey = new Secret(readFileSync(keyFile));
const store = new SealedStore(path, { unsealKey, random: systemRandom });
const { keks } = store.keyring;
if (keks.current.version === 1) keks.add(0);
const rotation = store.rotation();
process.stdout.write(`left ${rotation.left}\n`);
// As the server does it, with time for others between the steps. After the last that it may do it
// stands still: whoever is slow to kill it finds it in the middle of the rotation all the same.
for (let steps = 1; rotation.step(); steps += 1) {
  process.stdout.write('step\n');
  await wait(steps < Number(stepsMax) ? 5 : STANDSTILL_MS);
}
if (keks.isRotating && rotation.finish() > 0) throw new Error('a key was passed over');
if (!store.scrub()) throw new Error('somebody reads');
process.stdout.write('done\n');
store.close();
