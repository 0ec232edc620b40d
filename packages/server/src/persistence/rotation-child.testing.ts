/** A process that rotates the key-encryption key of a registry, to be killed. @module */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Secret, systemRandom } from '../kernel/index.ts';
import { SealedStore } from './sealed-store.ts';

const [path = '', keyFile = ''] = process.argv.slice(2);
const unsealKey = new Secret(readFileSync(keyFile));
const store = new SealedStore(path, { unsealKey, random: systemRandom });
const { keks } = store.keyring;
if (keks.current.version === 1) keks.add(0);
const rotation = store.rotation();
process.stdout.write(`left ${rotation.left}\n`);
// As the server does it, with time for others between the steps.
while (rotation.step()) await wait(5);
if (keks.isRotating && rotation.finish() > 0) throw new Error('a key was passed over');
if (!store.scrub()) throw new Error('somebody reads');
process.stdout.write('done\n');
store.close();
