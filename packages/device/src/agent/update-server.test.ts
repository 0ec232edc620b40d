/** What the agent makes of the answers of its server, and of none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drip } from '../../test-support/scripted-fetch.ts';
import { VirtualClock } from '../../test-support/virtual-clock.ts';
import type { FetchAnswer, FetchPort } from '../update/fetch-port.ts';
import { HttpsUpdateServer } from './update-server.ts';

function serverOf(clock: VirtualClock, get: FetchPort['get']): HttpsUpdateServer {
  return new HttpsUpdateServer({ fetch: { get }, clock }, () => assert.fail('no call'));
}

function answerOf(status: number, body: string): Promise<FetchAnswer> {
  const bytes = async function* () {
    yield Promise.resolve(Buffer.from(body));
  };
  return Promise.resolve({ status, body: bytes() });
}

test('a poll that is never answered ends, and the agent asks again', async () => {
  const clock = new VirtualClock();
  const server = serverOf(
    clock,
    ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  );
  const polled = server.poll();
  clock.advance(60_000);
  await assert.rejects(polled, { code: 'E_DEVICE_UPDATE_SLOW' });
  assert.equal(clock.timerCount, 0);
});

test('a poll that drips ends, and one that is too long', async () => {
  const clock = new VirtualClock();
  const slow = serverOf(clock, ({ signal }) =>
    Promise.resolve({ status: 200, body: drip({ clock, signal }, 10) }),
  );
  await assert.rejects(slow.poll(), { code: 'E_DEVICE_UPDATE_SLOW' });
  const long = serverOf(clock, () => answerOf(200, ' '.repeat(4_097)));
  await assert.rejects(long.poll(), { code: 'E_DEVICE_UPDATE_ANSWER' });
  assert.equal(clock.timerCount, 0);
});

test('a busy server is reached, one that does not know the device is not', async () => {
  for (const status of [200, 304, 429, 500, 503]) {
    await serverOf(new VirtualClock(), () => answerOf(status, '{}')).reach(undefined);
  }
  for (const status of [302, 401, 403, 404]) {
    const reached = serverOf(new VirtualClock(), () => answerOf(status, '{}')).reach(undefined);
    await assert.rejects(reached, { code: 'E_DEVICE_UPDATE_ANSWER' });
  }
});
