/** Both sides of the bounds of a GET. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptedFetch, chunks } from '../../test-support/scripted-fetch.ts';
import { VirtualClock } from '../../test-support/virtual-clock.ts';
import { boundedGet } from './bounded-get.ts';
import { UPDATE_RATE_WINDOW_BYTES, UPDATE_RATE_WINDOW_MS } from './limits.ts';

async function get(sizes: readonly number[], lengthMax = Infinity): Promise<number> {
  const clock = new VirtualClock();
  const fetch = new ScriptedFetch(clock);
  fetch.tricks.set('/x', ({ signal }) => ({
    status: 200,
    body: (async function* () {
      for (const [index, size] of sizes.entries()) {
        if (index > 0) clock.advance(UPDATE_RATE_WINDOW_MS);
        signal?.throwIfAborted();
        yield Buffer.alloc(size);
      }
    })(),
  }));
  const { body } = await boundedGet({ fetch, clock }, { path: '/x' }, lengthMax);
  const parts = await Array.fromAsync(body);
  assert.equal(clock.timerCount, 0);
  return parts.reduce((sum, { length }) => sum + length, 0);
}

test('each minute has to bring enough, but for the last one', async () => {
  const enough = UPDATE_RATE_WINDOW_BYTES;
  assert.equal(await get([enough, enough, 1]), 2 * enough + 1);
  await assert.rejects(get([enough, enough - 1, enough]), { code: 'E_DEVICE_UPDATE_SLOW' });
  await assert.rejects(get([enough - 1, enough]), { code: 'E_DEVICE_UPDATE_SLOW' });
});

test('as many bytes as may come, and one more', async () => {
  assert.equal(await get([128], 128), 128);
  await assert.rejects(get([129], 128), { code: 'E_DEVICE_UPDATE_TOO_LARGE' });
});

test('the signal of the caller stops it, too', async () => {
  const clock = new VirtualClock();
  const fetch = new ScriptedFetch(clock);
  fetch.tricks.set('/x', () => ({ status: 200, body: chunks(Buffer.alloc(5)) }));
  const signal = AbortSignal.abort(new Error('stop'));
  const asked = boundedGet({ fetch, clock }, { path: '/x', signal }, 10);
  await assert.rejects(asked, { message: 'stop' });
  assert.equal(clock.timerCount, 0);
});
