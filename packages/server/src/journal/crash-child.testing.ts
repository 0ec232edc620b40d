/**
 * A process to be killed: keeps what the log holds in two records, beside the log, and says when
 * entries and saved records are durable. At its start it takes up what the one before it left, as
 * the broker does, and says how much that is.
 *
 *     node crash-child.testing.ts <folder>
 *
 * @module
 */
import { createPrivateKey, randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, Secret, createLog, systemClock } from '../kernel/index.ts';
import type { DataKey } from '../persistence/index.ts';
import { Journal } from './journal.ts';
import { message } from './lab.testing.ts';
import { ROUTED_KEY, decodeRouted } from './pending-state.ts';

/** As a session: knows up to which entry it is. */
interface Queue {
  indexes: number[];
  lastIndex: number;
}

/** Lets a second pass in 25 ms, so that a short life has many ticks. */
const fastClock: Clock = {
  ...systemClock,
  after: (delayMs, task) => systemClock.after(delayMs / 40, task),
};

const folder = process.argv[2] ?? '';
// Fixed keys, as both processes need the same: the PKCS#8 form of an Ed25519 key, RFC 8410 §7.
const seed = Buffer.concat([
  Buffer.from('302e020100300506032b657004220420', 'hex'),
  Buffer.alloc(32, 7),
]);
const keyOf = (ref: number): DataKey => ({
  ref,
  key: new Secret(Buffer.alloc(32, ref)),
  spend: () => {},
});
const journal = await Journal.open({
  path: join(folder, 'log.db'),
  statePath: join(folder, 'broker.db'),
  keyring: { only: () => keyOf(9), byRef: keyOf },
  origin: 'test/log',
  signingKey: new Secret(
    createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' }).export({
      format: 'der',
      type: 'pkcs8',
    }),
  ),
  clock: fastClock,
  log: createLog({ form: 'json', level: 'silent', write: () => {} }),
  onFatal: (error) => {
    throw error;
  },
});

let queue: Queue = { indexes: [], lastIndex: -1 };
let replayedIndex = -1;
const set = new Set<number>();
const encodeQueue = (): Uint8Array => Buffer.from(JSON.stringify(queue));
const encodeSet = (): Uint8Array => Buffer.from(JSON.stringify([...set]));

function take(index: number): void {
  set.add(index);
  journal.saveStateSoon('set', encodeSet);
  if (index <= replayedIndex) return;
  queue.indexes.push(index);
  queue.lastIndex = index;
  // Now and then a peer is about to rely on the queue.
  if (randomInt(50) === 0) journal.saveState('queue', encodeQueue);
  else journal.saveStateSoon('queue', encodeQueue);
}

let routed = 0;
await journal.loadState((rows) => {
  for (const { key, value } of rows) {
    const text = Buffer.from(value).toString();
    if (key === ROUTED_KEY) routed = decodeRouted(value);
    else if (key === 'queue') queue = JSON.parse(text) as Queue;
    else for (const index of JSON.parse(text) as number[]) set.add(index);
  }
});
replayedIndex = queue.lastIndex;
const before = { routed, saved: queue.indexes.length };
await journal.scan(routed, (entries) => {
  for (const { index } of entries) take(index);
});
replayedIndex = -1;
journal.markRecovered();
const { size } = journal;
const isComplete =
  set.size === size &&
  queue.indexes.length === size &&
  queue.indexes.every((index, at) => index === at);
writeSync(1, `${JSON.stringify({ type: 'recovered', size, isComplete, ...before })}\n`);

function append(): void {
  journal.append(message('x'), {
    key: keyOf(1 + randomInt(3)),
    done(index) {
      take(index);
      if (index % 20 === 0) {
        journal.barrier(() => writeSync(1, `${JSON.stringify({ type: 'durable', index })}\n`));
      }
      setImmediate(append);
    },
  });
}
for (let n = 0; n < 5; n += 1) append();
