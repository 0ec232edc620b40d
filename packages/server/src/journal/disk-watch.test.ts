import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../kernel/index.ts';
import { TestClock } from '../session/lab.testing.ts';
import { type DiskCondition, DiskWatch } from './disk-watch.ts';
import { COMMIT_SLOW_CALM_MS, COMMIT_SLOW_MS, DISK_CHECK_MS } from './limits.ts';

const RESERVE = 1_000;

async function watched() {
  const clock = new TestClock();
  const disk = { free: 10 * RESERVE, canTell: true };
  const journal = { isHealthy: true, commitMs: 0 };
  const changes: DiskCondition[] = [];
  const lines: string[] = [];
  const watch = new DiskWatch({
    clock,
    log: createLog({ form: 'json', level: 'warn', write: (line) => lines.push(line) }),
    reserveBytes: RESERVE,
    readFreeBytes: () =>
      disk.canTell ? Promise.resolve(disk.free) : Promise.reject(new Error('no such call')),
    journal,
  });
  watch.onChange(({ condition }) => changes.push(condition));
  await watch.start();
  /** Lets the watch look again. */
  const look = async (afterMs = DISK_CHECK_MS): Promise<void> => {
    clock.advance(afterMs);
    await new Promise(setImmediate);
  };
  return { watch, disk, journal, changes, lines, look };
}

test('below the reserve nothing has room, and again only well above it', async () => {
  const { watch, disk, changes, look } = await watched();
  disk.free = RESERVE;
  await look();
  assert.ok(watch.hasRoom);
  disk.free = RESERVE - 1;
  await look();
  assert.ok(!watch.hasRoom);
  disk.free = 1.25 * RESERVE - 1;
  await look();
  assert.ok(!watch.hasRoom);
  disk.free = 1.25 * RESERVE;
  await look();
  assert.ok(watch.hasRoom);
  assert.deepEqual(changes, ['full', 'good']);
  assert.deepEqual(watch.figures, {
    condition: 'good',
    freeBytes: 1.25 * RESERVE,
    reserveBytes: RESERVE,
  });
});

test('a commit is slow from its limit on, and the disk until a minute has passed without', async () => {
  const { journal, changes, look } = await watched();
  journal.commitMs = COMMIT_SLOW_MS - 1;
  await look();
  assert.deepEqual(changes, []);
  journal.commitMs = COMMIT_SLOW_MS;
  await look();
  assert.deepEqual(changes, ['slow']);
  journal.commitMs = 0;
  await look(COMMIT_SLOW_CALM_MS - 1);
  assert.deepEqual(changes, ['slow']);
  await look();
  assert.deepEqual(changes, ['slow', 'good']);
});

test('a disk that refuses is failing, and full comes before it', async () => {
  const { watch, disk, journal, changes, look } = await watched();
  journal.isHealthy = false;
  journal.commitMs = 10 * COMMIT_SLOW_MS;
  await look();
  assert.ok(watch.hasRoom, 'what comes waits');
  disk.free = 0;
  await look();
  assert.ok(!watch.hasRoom);
  journal.isHealthy = true;
  journal.commitMs = 0;
  disk.free = 10 * RESERVE;
  await look();
  assert.deepEqual(changes, ['failing', 'full', 'slow']);
});

test('a system that does not tell changes nothing, and is named once', async () => {
  const { watch, disk, lines, look } = await watched();
  disk.canTell = false;
  await look();
  await look();
  assert.ok(watch.hasRoom);
  assert.equal(watch.figures.freeBytes, undefined);
  assert.equal(lines.length, 1);
  Object.assign(disk, { canTell: true, free: 0 });
  await look();
  disk.canTell = false;
  await look();
  assert.ok(!watch.hasRoom, 'it stays full');
});

test('a closed watch looks no more', async () => {
  const { watch, disk, changes, look } = await watched();
  watch.close();
  disk.free = 0;
  await look();
  assert.deepEqual(changes, []);
});
