/**
 * The device's own store: a real server is away, the device program is killed again and again
 * while it publishes, and afterwards everything is there, once, as it was made.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { startInProcess } from '@holdfast/testkit';

const PROGRAM = join(import.meta.dirname, 'store-and-forward-device.ts');
const COUNT = 1_000;

/** Runs the program; kills it as soon as it has printed `killAt`. Gives the last printed number. */
async function run(
  t: TestContext,
  { args, killAt }: { args: readonly string[]; killAt?: number },
): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (killAt !== undefined && last >= killAt) child.kill('SIGKILL');
  }
  const [code] = await ended;
  if (killAt === undefined) assert.equal(code, 0);
  return last;
}

test('an outage and any number of SIGKILLs lose nothing that was stored, and double nothing', async (t) => {
  let server = await startInProcess(t);
  const { folder } = await server.enroll('pump-1');
  // It has spoken before, so its replay window has begun.
  await run(t, { args: [folder, '1', '3'] });
  await server.stop();
  let n = 3;
  for (const killAt of [200, 201, 650, COUNT]) {
    // Who is slow to kill it finds no more than these: the next one has something to publish.
    const last = Math.max(n, killAt) + 50;
    // What is killed between the disk and the word of it is published again, as a user would.
    n = await run(t, { args: [folder, `${n + 1}`, `${last}`], killAt });
    assert.ok(n >= killAt);
  }
  const before = Date.now();
  server = await server.restart();
  // Killed once more, while the server takes what it missed.
  const child = spawn(process.execPath, [PROGRAM, folder], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  // It may be done before it is killed.
  const ended = once(child, 'exit');
  for (;;) {
    const some = await server.client.readings('pump-1', { limit: 200 });
    if (some.length > 100) break;
  }
  child.kill('SIGKILL');
  await ended;
  await run(t, { args: [folder] });

  const stored = await server.client.readings('pump-1', { limit: 1_000 });
  const rest = await server.client.readings('pump-1', {
    limit: 1_000,
    before: stored.at(-1)?.index ?? 0,
  });
  const readings = [...stored, ...rest]
    .toReversed()
    .map(
      ({ payload }) =>
        JSON.parse(payload) as { n: number; ctr: number; ts: number; madeAt: number },
    );
  const numbers = readings.map((reading) => reading.n);
  assert.deepEqual(
    [...new Set(numbers)].slice(0, COUNT),
    Array.from({ length: COUNT }, (_, at) => at + 1),
  );
  const counters = readings.map(({ ctr }) => ctr);
  assert.deepEqual(
    counters,
    [...new Set(counters)].toSorted((a, b) => a - b),
    'in order, once',
  );
  for (const { ts, madeAt } of readings) assert.ok(ts >= madeAt && ts - madeAt < 60_000);
  assert.ok(readings.filter(({ ts }) => ts < before).length >= COUNT, 'times of the outage');
});
