/** An owner's app renews its certificate by itself, and loses nothing when that fails. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type AppIdentity, appClient } from '@holdfast/client';
import { pairTestApp, startInProcess } from '@holdfast/testkit';

const MINUTE_MS = 60_000;

/** An app whose clock stands a millisecond before its renewal. */
async function openApp(t: TestContext) {
  const server = await startInProcess(t);
  await server.enroll('pump-1');
  const { identity } = await pairTestApp(t, server, 'pump-1');
  const { validFromDate, validToDate } = new X509Certificate(identity.certificatePem);
  const fromMs = validFromDate.getTime();
  const dueMs = fromMs + ((validToDate.getTime() - fromMs) * 2) / 3;
  const app = { server, identity, nowMs: Math.ceil(dueMs) - 1, kept: [] as AppIdentity[] };
  const failures: unknown[] = [];
  let keep = (next: AppIdentity): void => void app.kept.push(next);
  const renewal = {
    keep: (next: AppIdentity) => {
      keep(next);
      // The next certificate may be of the same second, and would be due as well.
      app.nowMs = fromMs;
    },
    nowMs: () => app.nowMs,
    onFailure: (error: unknown) => failures.push(error),
  };
  const client = appClient(identity, renewal);
  t.after(() => client.close());
  return { app, client, failures, keepBy: (other: typeof keep) => (keep = other) };
}

test('an app renews at two thirds of the life of its certificate, not before, and once', async (t) => {
  const { app, client } = await openApp(t);
  await client.devices();
  assert.equal(app.kept.length, 0);
  app.nowMs += 1;
  const answers = await Promise.all([client.devices(), client.apps(), client.devices()]);
  assert.equal(answers.length, 3);
  const [next, ...more] = app.kept;
  assert.equal(more.length, 0, 'calls at once share one renewal');
  assert.ok(next !== undefined && next.keyPem !== app.identity.keyPem);
  assert.notEqual(next.certificatePem, app.identity.certificatePem);
  // The new one was used, which ends the one before.
  const old = appClient(app.identity);
  t.after(() => old.close());
  await assert.rejects(old.devices());
  const acts = await app.server.client.acts();
  assert.equal(acts.filter(({ action }) => action === 'app.renew').length, 1);
});

test('what cannot be kept is not used, and is tried again after a pause', async (t) => {
  const { app, client, failures, keepBy } = await openApp(t);
  let tries = 0;
  keepBy(() => {
    tries += 1;
    throw new Error('the disk is full');
  });
  app.nowMs += 1;
  assert.equal((await client.devices()).length, 1, 'the call goes on with the present one');
  assert.match(String(failures[0]), /disk is full/);
  app.nowMs += MINUTE_MS - 1;
  await client.devices();
  assert.equal(tries, 1);
  app.nowMs += 1;
  await client.devices();
  assert.equal(tries, 2);
  keepBy((next) => void app.kept.push(next));
  app.nowMs += 2 * MINUTE_MS;
  await client.devices();
  assert.equal(app.kept.length, 1);
});
