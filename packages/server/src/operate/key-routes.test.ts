import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyStatus } from '@holdfast/protocol/api';
import { openLab } from './lab.testing.ts';

test('the keys are shown in numbers, and a rotation is recorded before it begins', async (t) => {
  const lab = openLab(t);
  const { localToken: token, recorded, journal, store } = lab;
  const call = async (method: string, path: string) => {
    const answer = await lab.call(method, path, { token });
    return { status: answer.status, body: (await answer.json()) as KeyStatus };
  };
  const { status, body } = await call('GET', '/v1/keys');
  assert.equal(status, 200);
  assert.equal(body.rotation, undefined);
  assert.deepEqual(
    body.versions.map(({ version }) => version),
    [1],
  );
  const records = body.purposes.find(({ purpose }) => purpose === 'records');
  assert.ok(records !== undefined && records.current === 1 && records.worn > 0);

  journal.isReady = false;
  assert.equal((await call('POST', '/v1/keys/rotate')).status, 503);
  journal.isReady = true;
  assert.equal(store.keyring.keks.isRotating, false, 'what cannot be recorded is not done');

  const rotated = await call('POST', '/v1/keys/rotate');
  assert.equal(rotated.status, 202);
  assert.equal(rotated.body.rotation?.left, rotated.body.rotation?.total);
  assert.deepEqual(
    recorded.map(({ action }) => action),
    ['keys.rotate'],
  );
  assert.equal((await call('POST', '/v1/keys/rotate')).status, 409);
  assert.equal(recorded.length, 1);
});

test('of two that rotate at once, one is refused [E_OPERATE_CONFLICT]', async (t) => {
  const { call, localToken: token, store } = openLab(t);
  const answers = await Promise.all([1, 2].map(() => call('POST', '/v1/keys/rotate', { token })));
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [202, 409],
  );
  assert.equal(store.keyring.keks.current.version, 2);
});

test('a rotation asks for the second factor again', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  lab.clock.ms += 6 * 60_000;
  const answer = await lab.call('POST', '/v1/keys/rotate', { session });
  assert.equal(answer.status, 403);
  assert.equal(lab.store.keyring.keks.current.version, 1);
});
