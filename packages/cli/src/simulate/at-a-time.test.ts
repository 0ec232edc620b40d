/** A few at a time, and no more after a failure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atATime } from './at-a-time.ts';

const items = Array.from({ length: 20 }, (_, at) => at);

test('everything is done once, and never more than so many at a time', async () => {
  const done: number[] = [];
  let [running, most] = [0, 0];
  await atATime(items, 3, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    done.push(item);
    running -= 1;
  });
  assert.deepEqual(done, items);
  assert.equal(most, 3);
  await atATime([], 3, () => assert.fail('there is nothing to do'));
});

test('after a failure nothing new is begun, and what is under way ends first', async () => {
  const [begun, ended]: [number[], number[]] = [[], []];
  const act = async (item: number): Promise<void> => {
    begun.push(item);
    if (item === 2) throw new Error('the disk is full');
    await Promise.resolve();
    await Promise.resolve();
    ended.push(item);
  };
  await assert.rejects(atATime(items, 3, act), /the disk is full/);
  assert.deepEqual(begun, [0, 1, 2]);
  assert.deepEqual(ended, [0, 1]);
});
