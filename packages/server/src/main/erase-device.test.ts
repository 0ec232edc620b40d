import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Act } from '../audit/index.ts';
import { SCRUB_RETRY_MS, SCRUB_WAIT_MS_MAX } from '../backup/index.ts';
import type { Clock } from '../kernel/index.ts';
import { eraseDevice } from './erase-device.ts';

/** A clock on which waiting takes no time. */
function fastClock(): Clock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after: (delayMs, task) => {
      nowMs += delayMs;
      queueMicrotask(task);
      return () => {};
    },
  };
}

function erasing(scrubs: number, keyRefs: number[] = [4, 9]) {
  const erasures: unknown[] = [];
  const acts: Act[] = [];
  let tried = 0;
  const erase = eraseDevice({
    clock: fastClock(),
    store: { scrub: () => (tried += 1) >= scrubs },
    registry: { byId: () => ({ contentKeyRef: 9, formerContentKeyRefs: [4] }) },
    recordAct: (act) => {
      acts.push(act);
      return Promise.resolve();
    },
    messagePath: {
      eraseContent: () => {
        assert.equal(acts.length, 1, 'what will be gone is on the log before it is gone');
        return Promise.resolve({ keyRefs, seen: { generation: 2, upTo: 17 } });
      },
    },
    series: { forget: () => Promise.resolve() },
    backups: {
      erase: (erasure) => {
        erasures.push(erasure);
        return Promise.resolve(['folder:/away']);
      },
    },
  });
  return { erase, erasures, acts };
}

test('an erasure tells the backups which keys are gone, and how far the device had counted', async () => {
  const { erase, erasures, acts } = erasing(1);
  assert.deepEqual(await erase('pump-1'), {
    keyRefs: [4, 9],
    pending: ['folder:/away'],
    isScrubbed: true,
  });
  assert.deepEqual(erasures, [{ keyRefs: [4, 9], seen: { generation: 2, upTo: 17 }, atMs: 0 }]);
  assert.deepEqual(acts[0]?.action, 'keys.destroy');
  assert.deepEqual(acts[0]?.facts, { keyRefs: [4, 9] });
});

test('readers are waited for until they let go, and not for ever', async () => {
  const tries = SCRUB_WAIT_MS_MAX / SCRUB_RETRY_MS;
  assert.equal((await erasing(tries + 1).erase('pump-1')).isScrubbed, true);
  assert.equal((await erasing(tries + 2).erase('pump-1')).isScrubbed, false);
});

test('a device of which nothing is there reaches no backup', async () => {
  const { erase, erasures } = erasing(1, []);
  assert.deepEqual((await erase('pump-1')).pending, []);
  assert.deepEqual(erasures, []);
});
