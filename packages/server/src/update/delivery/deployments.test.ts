import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeviceId, Refusal, parseDeviceId } from '@holdfast/protocol';
import type { Collection, SealedStore } from '../../persistence/index.ts';
import { type Deployment, Deployments } from './deployments.ts';
import { FakeUpdates, TestClock } from './lab.testing.ts';

function device(text: string): DeviceId {
  const id = parseDeviceId(text);
  return id instanceof Refusal ? assert.fail() : id;
}

function open(records = new Map<string, unknown>(), updates = new FakeUpdates()) {
  let writes = 0;
  const collection: Collection<unknown> = {
    read: (id) => records.get(id),
    write: (id, value) => {
      writes += 1;
      records.set(id, value);
    },
    remove: (id) => void records.delete(id),
    all: () => [...records.values()],
  };
  const store = { collection: () => collection } as unknown as Pick<SealedStore, 'collection'>;
  const deployments = new Deployments({ clock: new TestClock(), store, director: updates });
  return { deployments, updates, records, writes: () => writes };
}

const pump = device('pump-1');

test('a poll after which nothing is new writes nothing', async () => {
  const { deployments, updates, writes } = open();
  for (let at = 0; at < 3; at += 1) assert.equal(deployments.current(pump), undefined);
  assert.equal(writes(), 0);
  await updates.assign(pump, updates.add(Buffer.from('a')));
  const numbers = [1, 2, 3].map(() => deployments.current(pump)?.number);
  assert.equal(new Set(numbers).size, 1);
  assert.equal(writes(), 1);
});

test('numbers grow, over restarts and older copies of the records', async () => {
  const { deployments, updates, records } = open();
  const [first, second] = ['1.0.0', '2.0.0'].map((version) =>
    updates.add(Buffer.from(version), { version }),
  );
  await updates.assign(pump, first);
  const before = deployments.current(pump)?.number ?? assert.fail();
  await updates.assign(pump, second);
  const after = open(records, updates).deployments.current(pump)?.number ?? assert.fail();
  assert.ok(after > before && after < 2 ** 31);
});

test('what was closed stays closed over a restart, unless it failed and is assigned again', async () => {
  const { deployments, updates, records } = open();
  const release = updates.add(Buffer.from('a'));
  await updates.assign(pump, release);
  const { number } = deployments.current(pump) ?? assert.fail();
  deployments.close(pump, number, { hasFailed: true });
  const { deployments: later } = open(records, updates);
  assert.equal(later.current(pump), undefined);
  later.offerAgain(pump);
  const again: Deployment = later.current(pump) ?? assert.fail();
  assert.ok(again.number > number);
  later.close(pump, again.number, { hasFailed: false });
  later.offerAgain(pump);
  assert.equal(later.current(pump), undefined, 'what runs well is not installed twice');
});

test('taken away and assigned again, what failed is tried again', async () => {
  const { deployments, updates } = open();
  const release = updates.add(Buffer.from('a'));
  await updates.assign(pump, release);
  const { number } = deployments.current(pump) ?? assert.fail();
  deployments.close(pump, number, { hasFailed: true });
  await updates.assign(pump, undefined);
  assert.equal(deployments.current(pump), undefined);
  await updates.assign(pump, release);
  assert.ok((deployments.current(pump)?.number ?? 0) > number);
});

test('what was begun is to be stopped; a result of something else changes nothing', async () => {
  const { deployments, updates } = open();
  await updates.assign(pump, updates.add(Buffer.from('a')));
  const { number } = deployments.current(pump) ?? assert.fail();
  deployments.begin(pump, number);
  await updates.assign(pump, updates.add(Buffer.from('b'), { version: '2.0.0' }));
  assert.equal(deployments.stopping(pump), number);
  deployments.close(pump, number, { hasFailed: true });
  assert.equal(deployments.current(pump)?.stage, 'offered');
  deployments.stopped(pump, number + 100);
  assert.equal(deployments.stopping(pump), number);
  deployments.stopped(pump, number);
  assert.equal(deployments.stopping(pump), undefined);
});

test('a device that is forgotten leaves nothing, and its next number is no lower', async () => {
  const { deployments, updates, records } = open();
  await updates.assign(pump, updates.add(Buffer.from('a')));
  const before = deployments.current(pump)?.number ?? assert.fail();
  deployments.note(pump, 'thermo-a');
  await updates.assign(pump, undefined);
  deployments.offerAgain(pump);
  deployments.forget(pump);
  assert.equal(deployments.current(pump), undefined);
  assert.equal(deployments.attributesOf(pump), undefined);
  assert.deepEqual([...records], []);
  await updates.assign(pump, updates.add(Buffer.from('b'), { version: '2.0.0' }));
  assert.ok((deployments.current(pump)?.number ?? 0) >= before);
});
