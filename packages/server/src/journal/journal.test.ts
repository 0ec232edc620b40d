import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Entry, refuse } from '@holdfast/protocol';
import { generatePrivateKey } from '../crypto/index.ts';
import { Secret, createLog, systemClock, systemRandom } from '../kernel/index.ts';
import { TestClock } from '../session/lab.testing.ts';
import { Journal } from './journal.ts';
import { REFUSALS_OF_A_KIND_MAX, REFUSALS_PER_SECOND_MAX, REFUSAL_TEXT_MAX } from './limits.ts';
import { RefusalRecorder } from './refusal-recorder.ts';

const silent = createLog({ form: 'json', level: 'silent', write: () => {} });
const signingKey = generatePrivateKey('Ed25519');
const key = { ref: 1, key: new Secret(systemRandom(32)), spend: () => {} };
const otherKey = { ref: 2, key: new Secret(systemRandom(32)), spend: () => {} };
const stateKey = { ref: 3, key: new Secret(systemRandom(32)), spend: () => {} };
const newest = { before: Number.MAX_SAFE_INTEGER, limit: 1_000 };

function temporaryPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-journal-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'log.db');
}

function openJournal(path: string): Promise<Journal> {
  const onFatal = (error: Error): never => assert.fail(error);
  return Journal.open({
    path,
    statePath: `${path}-state`,
    keyring: { only: () => stateKey, byRef: () => assert.fail('no key is looked up') },
    origin: 'test/log',
    signingKey,
    clock: systemClock,
    log: silent,
    onFatal,
  });
}

function entry(text: string): Entry {
  return { kind: 'event', atMs: 1, principal: 'p', topic: 't', kid: '', body: Buffer.from(text) };
}

test('entries are durable when they are acknowledged, in the order of the appends', async (t) => {
  const path = temporaryPath(t);
  const journal = await openJournal(path);
  const order: number[] = [];
  for (let n = 0; n < 5_000; n += 1) {
    journal.append(entry(String(n)), { key, counterMax: n, done: (index) => order.push(index) });
  }
  await journal.record(entry('last'), otherKey);
  assert.deepEqual(
    order,
    Array.from({ length: 5_000 }, (_, n) => n),
  );
  assert.match(journal.checkpoint, /^test\/log\n5001\n/);
  await journal.close();

  const again = await openJournal(path);
  t.after(() => again.close());
  const page = await again.read(key, { ...newest, limit: 3 });
  assert.deepEqual(
    page.map(({ index }) => index),
    [4_999, 4_998, 4_997],
  );
  assert.equal(page[0]?.counterMax, 4_999);
  assert.equal(Buffer.from(page[0]?.entry.body ?? []).toString(), '4999');
  assert.equal((await again.read(otherKey, newest)).length, 1);
});

test('a barrier waits for what was appended before it, and stores nothing', async (t) => {
  const journal = await openJournal(temporaryPath(t));
  t.after(() => journal.close());
  const order: string[] = [];
  const barrier = (name: string): Promise<void> =>
    new Promise((resolve) => {
      journal.barrier(() => {
        order.push(name);
        resolve();
      });
    });
  await barrier('empty');
  journal.append(entry('a'), { key, done: () => order.push('a') });
  await barrier('after a');
  assert.deepEqual(order, ['empty', 'a', 'after a']);
  assert.match(journal.checkpoint, /\n1\n/);
});

test('a barrier does not overtake the callbacks of a batch on its way to the disk', async (t) => {
  const journal = await openJournal(temporaryPath(t));
  t.after(() => journal.close());
  const order: string[] = [];
  journal.append(entry('a'), { key, done: () => order.push('a') });
  await turn();
  await new Promise<void>((resolve) => {
    journal.barrier(() => {
      order.push('barrier');
      resolve();
    });
  });
  assert.deepEqual(order, ['a', 'barrier']);
});

test('publishers are paused while too much waits for the disk', async (t) => {
  const journal = await openJournal(temporaryPath(t));
  t.after(() => journal.close());
  const changes: boolean[] = [];
  journal.onPressure((isPressed) => changes.push(isPressed));
  const large = { ...entry(''), body: new Uint8Array(1_048_576) };
  const stored = Array.from({ length: 20 }, () => journal.record(large, key));
  assert.deepEqual(changes, [true]);
  await Promise.all(stored);
  assert.deepEqual(changes, [true, false]);
});

test('a flood of refusals is summed up, and none is lost from the count', async (t) => {
  const journal = await openJournal(temporaryPath(t));
  t.after(() => journal.close());
  let counted = 0;
  const recorder = new RefusalRecorder({
    journal,
    key: () => key,
    clock: systemClock,
    log: silent,
    count: () => (counted += 1),
  });
  const flood = REFUSALS_PER_SECOND_MAX * 10;
  for (let n = 0; n < flood; n += 1) {
    recorder.report({ refusal: refuse('E_VERIFY_SIG', 'x'), principal: 'd', address: '::1' });
  }
  recorder.flush();
  await new Promise<void>((resolve) => {
    journal.barrier(resolve);
  });
  const stored = await journal.read(key, newest);
  assert.equal(counted, flood);
  assert.equal(stored.length, REFUSALS_OF_A_KIND_MAX + 1);
  const counts = stored.map(
    ({ entry: { body } }) => JSON.parse(Buffer.from(body).toString()).count,
  );
  assert.equal(
    counts.reduce((a, b) => a + b, 0),
    flood,
  );
});

test('many kinds of refusals at once stay within the rate, and are all counted', async (t) => {
  const journal = await openJournal(temporaryPath(t));
  t.after(() => journal.close());
  const recorder = new RefusalRecorder({
    journal,
    key: () => key,
    // Its second must not end by itself while the disk takes its time.
    clock: new TestClock(),
    log: silent,
    count: () => {},
  });
  const addresses = REFUSALS_PER_SECOND_MAX + 50;
  for (let n = 0; n < addresses; n += 1) {
    recorder.report({ refusal: refuse('E_VERIFY_SIG', 'x'), principal: `d-${n}` });
  }
  await new Promise<void>((resolve) => {
    journal.barrier(resolve);
  });
  assert.equal((await journal.read(key, newest)).length, REFUSALS_PER_SECOND_MAX);
  recorder.flush();
  await new Promise<void>((resolve) => {
    journal.barrier(resolve);
  });
  assert.equal((await journal.read(key, newest)).length, addresses);
});

test('a peer that claims to be very long is cut short', async (t) => {
  const journal = await openJournal(temporaryPath(t));
  t.after(() => journal.close());
  const recorder = new RefusalRecorder({
    journal,
    key: () => key,
    clock: systemClock,
    log: silent,
    count: () => {},
  });
  const long = 'x'.repeat(100_000);
  recorder.report({ refusal: refuse('E_WIRE_PACKET', long), principal: long, claimed: long });
  await new Promise<void>((resolve) => {
    journal.barrier(resolve);
  });
  const [stored] = await journal.read(key, newest);
  assert.equal(stored?.entry.principal.length, REFUSAL_TEXT_MAX);
  assert.ok((stored?.entry.body.length ?? 0) < 3 * REFUSAL_TEXT_MAX);
});

test('strangers with many addresses are summed up by code alone', async (t) => {
  const journal = await openJournal(temporaryPath(t));
  t.after(() => journal.close());
  const count = (): void => {};
  const recorder = new RefusalRecorder({
    journal,
    key: () => key,
    clock: systemClock,
    log: silent,
    count,
  });
  for (let n = 0; n < 500; n += 1) {
    recorder.report({ refusal: refuse('E_WIRE_HANDSHAKE', 'x'), address: `192.0.2.${n}` });
  }
  recorder.flush();
  await new Promise<void>((resolve) => {
    journal.barrier(resolve);
  });
  assert.equal((await journal.read(key, newest)).length, REFUSALS_OF_A_KIND_MAX + 1);
});
