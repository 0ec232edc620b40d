import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSecretKey, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { testFolder } from '../../test-support/test-bundle.ts';
import { DeviceError } from '../device-error.ts';
import { STORE_FORGOTTEN_MAX, STORE_MEMORY_BYTES_MAX, STORE_SEGMENT_BYTES } from '../limits.ts';
import { MessageStore, type StoreBounds } from './message-store.ts';
import { StoreKey } from './store-key.ts';
import { type StoredMessage, encodeMessage } from './stored-message.ts';

const KEY = StoreKey.derive(createSecretKey(randomBytes(32)));
const WIDE: StoreBounds = { messagesMax: 100_000, bytesMax: 2 ** 30, drop: 'oldest' };

/** A folder with a store that can be opened again and again. */
function openLab(t: TestContext, bounds: StoreBounds = WIDE) {
  const folder = join(testFolder(t), 'store');
  const dropped: number[] = [];
  const open = (key = KEY): MessageStore => {
    const store = new MessageStore(folder, { key, bounds, onDrop: (at) => dropped.push(at) });
    t.after(() => store.close());
    return store;
  };
  return { folder, dropped, open };
}

function messageOf(counter: number, size = 20): StoredMessage {
  const payload = Buffer.alloc(size, `${counter} `);
  return { counter, topic: 'd/pump-1/telemetry', retain: counter % 2 === 0, payload };
}

const segmentsOf = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.segment'))
    .toSorted();

function takeAll(store: MessageStore): StoredMessage[] {
  const messages: StoredMessage[] = [];
  for (;;) {
    const taken = store.take();
    if (taken === undefined) return messages;
    messages.push(taken.message);
  }
}

const countersOf = (store: MessageStore): number[] => takeAll(store).map(({ counter }) => counter);

/** Copies the store as a crash would leave it: nothing is closed. */
function crash(t: TestContext, folder: string): { folder: string; open: () => MessageStore } {
  const copy = testFolder(t);
  for (const name of segmentsOf(folder)) copyFileSync(join(folder, name), join(copy, name));
  return {
    folder: copy,
    open: () => {
      const store = new MessageStore(copy, { key: KEY, bounds: WIDE });
      t.after(() => store.close());
      return store;
    },
  };
}

test('messages come out as they went in, in order, also after the store was closed', async (t) => {
  const { open } = openLab(t);
  const first = open();
  const messages = [3, 4, 9].map((counter) => messageOf(counter));
  await Promise.all(messages.map((message) => first.append(message)));
  assert.deepEqual(first.figures, { messages: 3, bytes: 60, dropped: 0, damaged: 0 });
  assert.equal(first.take()?.message.counter, 3);
  await first.close();
  const second = open();
  assert.equal(second.lastCounter, 9);
  const again = takeAll(second);
  assert.deepEqual(again.map(encodeMessage), messages.map(encodeMessage));
});

test('what is done with is gone; an empty store leaves no segment', async (t) => {
  const { open, folder } = openLab(t);
  const first = open();
  await Promise.all([1, 2, 3].map((counter) => first.append(messageOf(counter))));
  takeAll(first);
  first.done(1);
  first.done(2);
  first.done(77);
  await first.close();
  const second = open();
  assert.deepEqual(countersOf(second), [3]);
  second.done(3);
  assert.equal(second.figures.messages, 0);
  await second.close();
  assert.deepEqual(segmentsOf(folder), []);
});

test('what was taken and not done with is taken again, first, and known as sent', async (t) => {
  const store = openLab(t).open();
  await Promise.all([1, 2, 3, 4].map((counter) => store.append(messageOf(counter))));
  store.take();
  store.take();
  store.take();
  store.done(2);
  store.rewind();
  const taken = [store.take(), store.take(), store.take(), store.take()];
  assert.deepEqual(
    taken.map((one) => [one?.message.counter, one?.wasSent]),
    [
      [1, true],
      [3, true],
      [4, false],
      [undefined, undefined],
    ],
  );
});

test('a crash loses nothing that was stored, and forgets few of what was done with', async (t) => {
  const { open, folder } = openLab(t);
  const store = open();
  const counters = Array.from({ length: 500 }, (_, at) => at + 1);
  await Promise.all(counters.map((counter) => store.append(messageOf(counter))));
  for (let at = 1; at <= 300; at += 1) {
    store.take();
    store.done(at);
  }
  // Notes are written with what is stored next.
  await store.append(messageOf(501));
  const left = countersOf(crash(t, folder).open());
  assert.deepEqual(left.slice(-201), [...counters.slice(300), 501]);
  assert.ok(left.length <= 201 + STORE_FORGOTTEN_MAX, `${left.length}`);
});

test('a torn tail is dropped, wherever the crash tore it', async (t) => {
  const { open, folder } = openLab(t);
  const store = open();
  for (let counter = 1; counter <= 3; counter += 1) await store.append(messageOf(counter));
  const [name = ''] = segmentsOf(folder);
  const { size } = statSync(join(folder, name));
  for (let length = size; length >= 0; length -= 1) {
    const torn = crash(t, folder);
    truncateSync(join(torn.folder, name), length);
    const reopened = torn.open();
    const counters = countersOf(reopened);
    assert.deepEqual(counters, [1, 2, 3].slice(0, counters.length));
    assert.equal(reopened.figures.damaged, 0);
    if (length === size) assert.equal(counters.length, 3);
    else assert.ok(counters.length < 3);
    await reopened.close();
  }
  const zeros = crash(t, folder);
  appendFileSync(join(zeros.folder, name), Buffer.alloc(4_096));
  assert.deepEqual(countersOf(zeros.open()), [1, 2, 3]);
});

test('a process that goes on after a crash writes to a new segment', async (t) => {
  const { open, folder } = openLab(t);
  await open().append(messageOf(1));
  const torn = crash(t, folder);
  const [name = ''] = segmentsOf(folder);
  const path = join(torn.folder, name);
  appendFileSync(path, Buffer.of(0, 0, 0, 50, 1, 2));
  const before = readFileSync(path);
  const reopened = torn.open();
  await reopened.append(messageOf(2));
  assert.deepEqual(readFileSync(path), before);
  assert.equal(segmentsOf(torn.folder).length, 2);
  assert.deepEqual(countersOf(reopened), [1, 2]);
});

test('a record that was changed is passed over and counted, and the others stay', async (t) => {
  const { open, folder } = openLab(t);
  const store = open();
  for (let counter = 1; counter <= 3; counter += 1) await store.append(messageOf(counter));
  const [name = ''] = segmentsOf(folder);
  const changed = crash(t, folder);
  const bytes = readFileSync(join(folder, name));
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(join(changed.folder, name), bytes);
  const reopened = changed.open();
  assert.deepEqual([countersOf(reopened), reopened.figures.damaged], [[1, 3], 1]);
});

test('a segment under another name does not open', async (t) => {
  const { open, folder } = openLab(t);
  await open().append(messageOf(1));
  const moved = crash(t, folder);
  const [name = ''] = segmentsOf(folder);
  copyFileSync(join(moved.folder, name), join(moved.folder, '000000000abc.segment'));
  const reopened = moved.open();
  assert.deepEqual([countersOf(reopened), reopened.figures.damaged], [[1], 1]);
});

test('another key opens nothing, and says so instead of forgetting', async (t) => {
  const { open } = openLab(t);
  const store = open();
  await store.append(messageOf(1));
  await store.close();
  const other = StoreKey.derive(createSecretKey(randomBytes(32)));
  assert.throws(() => open(other), { code: 'E_DEVICE_STORE' });
  assert.deepEqual(countersOf(open()), [1]);
});

test('the disk has neither topics nor payloads, and files only their owner can read', async (t) => {
  const { open, folder } = openLab(t);
  const payload = Buffer.from('{"temperature": 23.5}', 'utf8');
  await open().append({ counter: 1, topic: 'd/pump-1/telemetry', retain: false, payload });
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const isLock = name.startsWith('lock');
    if (!isLock) assert.equal(statSync(path).mode & 0o777, 0o600, name);
    const text = readFileSync(path, 'latin1');
    for (const word of ['pump', 'telemetry', 'temp', '23.5']) assert.ok(!text.includes(word));
  }
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test('a store belongs to one at a time [E_DEVICE_STORE_BUSY]', async (t) => {
  const { open } = openLab(t);
  const store = open();
  assert.throws(() => open(), { code: 'E_DEVICE_STORE_BUSY' });
  await store.close();
  open();
});

test('the oldest make room, but not what is on its way [E_DEVICE_QUEUE_FULL]', async (t) => {
  const { open, dropped } = openLab(t, { messagesMax: 3, bytesMax: 100, drop: 'oldest' });
  const store = open();
  const add = (counter: number, size = 20): Promise<void> => {
    store.makeRoom(size);
    return store.append(messageOf(counter, size));
  };
  for (const counter of [1, 2, 3]) await add(counter);
  assert.deepEqual(dropped, []);
  assert.equal(store.take()?.message.counter, 1);
  await add(4);
  assert.deepEqual(dropped, [2]);
  await add(5, 60);
  assert.deepEqual(dropped, [2, 3]);
  await add(6, 61);
  assert.deepEqual(dropped, [2, 3, 4, 5]);
  assert.throws(() => store.makeRoom(81), { code: 'E_DEVICE_QUEUE_FULL' });
  assert.deepEqual(store.figures, { messages: 1, bytes: 20, dropped: 5, damaged: 0 });
});

test('or the newest are not taken', async (t) => {
  const { open, dropped } = openLab(t, { messagesMax: 2, bytesMax: 100, drop: 'newest' });
  const store = open();
  for (const counter of [1, 2]) {
    store.makeRoom(20);
    await store.append(messageOf(counter));
  }
  assert.throws(() => store.makeRoom(1), DeviceError);
  assert.deepEqual([countersOf(store), dropped], [[1, 2], []]);
});

test('segments end at their size and go with their last message; most is not in memory', async (t) => {
  const { open, folder } = openLab(t);
  const store = open();
  const size = 60_000;
  const count = Math.ceil((STORE_SEGMENT_BYTES * 3.5) / size);
  assert.ok(count * size > STORE_MEMORY_BYTES_MAX * 3);
  for (let at = 1; at <= count; at += 1) await store.append(messageOf(at, size));
  assert.equal(segmentsOf(folder).length, 4);
  let seen = 0;
  for (let taken = store.take(); taken !== undefined; taken = store.take()) {
    seen += 1;
    assert.deepEqual(taken.message.payload, messageOf(seen, size).payload);
    store.done(seen);
    if (seen === count - 3) assert.equal(segmentsOf(folder).length, 1);
  }
  assert.equal(seen, count);
  await store.close();
  assert.deepEqual(segmentsOf(folder), []);
});

test('what cannot be written is rejected and never sent; later ones are', async (t) => {
  const { open, folder } = openLab(t);
  const store = open();
  // The folder is in the way of nothing but new files.
  rmSync(folder, { recursive: true });
  await assert.rejects(store.append(messageOf(1)), { code: 'E_DEVICE_STORE' });
  assert.deepEqual([store.figures.messages, store.take()], [0, undefined]);
});

test('a write that fails half way takes back what it wrote; the next one goes elsewhere', (t) => {
  const folder = join(testFolder(t), 'store');
  const program = `
    import { createSecretKey } from 'node:crypto';
    import { MessageStore } from '${import.meta.resolve('./message-store.ts')}';
    import { StoreKey } from '${import.meta.resolve('./store-key.ts')}';
    const key = StoreKey.derive(createSecretKey(Buffer.alloc(32)));
    const bounds = { messagesMax: 1000, bytesMax: 1e9, drop: 'oldest' };
    const store = new MessageStore(process.argv[1], { key, bounds });
    const results = [];
    for (let at = 1; at <= 100; at += 5) {
      results.push(...await Promise.allSettled([0, 1, 2, 3, 4].map((more) => store.append(
        { counter: at + more, topic: 't', retain: false, payload: Buffer.alloc(1500, 1) }))));
    }
    console.log(JSON.stringify(results.map(({ status }) => status === 'fulfilled')));
    process.kill(process.pid, 'SIGKILL');`;
  // Files of 32 KiB at most: a write that reaches that is cut off, and the next one fails.
  const shell = `trap '' XFSZ; ulimit -f 64; exec "$0" --input-type=module -e "$1" "$2"`;
  const args = ['-c', shell, process.execPath, program, folder];
  const { stdout } = spawnSync('/bin/sh', args, { encoding: 'utf8' });
  const isStored: boolean[] = JSON.parse(stdout);
  const stored = isStored.flatMap((is, at) => (is ? [at + 1] : []));
  assert.ok(stored.length > 50 && stored.length < 100, `${stored.length}`);
  const key = StoreKey.derive(createSecretKey(Buffer.alloc(32)));
  const store = new MessageStore(folder, { key, bounds: WIDE });
  t.after(() => store.close());
  assert.deepEqual([countersOf(store), store.figures.damaged], [stored, 0]);
});

test('whatever happens, what was stored and not done with is there after a crash', async (t) => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('append'), n: fc.nat({ max: 70 }) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('take'), n: fc.nat({ max: 90 }) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('done'), n: fc.nat({ max: 90 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('lose'), n: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen'), n: fc.constant(0) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const folder = join(testFolder(t), 'store');
      const open = (): MessageStore => new MessageStore(folder, { key: KEY, bounds: WIDE });
      let store = open();
      let last = 0;
      const alive = new Set<number>();
      let onWay: number[] = [];
      for (const { do: what, n } of steps) {
        if (what === 'append') {
          const counters = Array.from({ length: n }, () => (last += 1));
          for (const counter of counters) alive.add(counter);
          await Promise.all(counters.map((counter) => store.append(messageOf(counter))));
        } else if (what === 'take') {
          for (let at = 0; at < n; at += 1) {
            const counter = store.take()?.message.counter;
            if (counter !== undefined) onWay.push(counter);
          }
        } else if (what === 'done') {
          for (const counter of onWay.splice(0, n)) {
            store.done(counter);
            alive.delete(counter);
          }
        } else {
          onWay = [];
          if (what === 'lose') store.rewind();
          else await store.close().then(() => (store = open()));
        }
      }
      const crashed = crash(t, folder);
      const counters = countersOf(crashed.open());
      const left = new Set(counters);
      assert.deepEqual(
        counters,
        [...left].toSorted((a, b) => a - b),
      );
      assert.deepEqual(
        [...alive].filter((counter) => !left.has(counter)),
        [],
      );
      assert.ok(left.size - alive.size <= last);
      await store.close();
    }),
    { numRuns: 40 },
  );
});

test('a length that was changed is damage, not the end that a crash has left', async (t) => {
  const { open, folder } = openLab(t);
  const store = open();
  for (let counter = 1; counter <= 3; counter += 1) await store.append(messageOf(counter));
  const [name = ''] = segmentsOf(folder);
  const bytes = readFileSync(join(folder, name));
  const first = 24;
  const second = first + 4 + bytes.readUInt32BE(first);
  const changedAt = (at: number): ReturnType<typeof crash> => {
    const changed = crash(t, folder);
    const copy = Buffer.from(bytes);
    copy[at] = 0x80;
    writeFileSync(join(changed.folder, name), copy);
    return changed;
  };
  const reopened = changedAt(second).open();
  assert.deepEqual([countersOf(reopened), reopened.figures.damaged], [[1], 1]);
  const nothing = changedAt(first);
  assert.throws(() => nothing.open(), { code: 'E_DEVICE_STORE' });
  assert.equal(segmentsOf(nothing.folder).length, 1, 'nothing is removed');
});
