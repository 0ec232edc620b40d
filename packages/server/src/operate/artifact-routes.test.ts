import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  ARTIFACTS_NAMED_MAX,
  RemovedArtifactsSchema,
  StoredArtifactListSchema,
} from '@holdfast/protocol/api';
import { type Lab, codeOf, openLab } from './lab.testing.ts';

const LIST = '/v1/firmware/artifacts';
const REMOVE = `${LIST}/remove`;
const MONTH_MS = 30 * 86_400_000;

async function upload(lab: Lab, bytes = randomBytes(100)): Promise<string> {
  const { artifacts } = lab.deps.updates;
  const record = await artifacts.put(bytes, 'person:ada');
  assert.ok('sha256' in record);
  return record.sha256;
}

async function listed(lab: Lab, session: string) {
  return StoredArtifactListSchema.parse(await (await lab.call('GET', LIST, { session })).json());
}

test('artifacts are listed with why they stay, and go once nothing needs them', async (t) => {
  const lab = openLab(t);
  const sha256 = await upload(lab);
  lab.clock.advance(MONTH_MS);
  const recent = await upload(lab, randomBytes(50));
  const session = await lab.signInFirst();
  const list = await listed(lab, session);
  assert.deepEqual(
    list.artifacts.map((one) => [one.sha256, one.needs.map(({ code }) => code)]),
    [
      [sha256, []],
      [recent, ['recent']],
    ],
  );
  assert.deepEqual(list.stored, { count: 2, bytes: 150 });
  assert.deepEqual(list.unneeded, { count: 1, bytes: 100 });
  const status = await (await lab.call('GET', '/v1/firmware', { session })).json();
  assert.deepEqual((status as { artifacts: unknown }).artifacts, {
    stored: list.stored,
    unneeded: list.unneeded,
  });
  const ask = async (body: object) => {
    const answer = await lab.call('POST', REMOVE, { session, body });
    assert.equal(answer.status, 200);
    return RemovedArtifactsSchema.parse(await answer.json());
  };
  const dry = await ask({ unneeded: true, dryRun: true });
  assert.deepEqual(dry.removed, { count: 1, bytes: 100 });
  assert.deepEqual(
    dry.stays.map((one) => one.sha256),
    [recent],
  );
  const acts = () => lab.recorded.filter(({ action }) => action === 'update.remove-artifact');
  assert.equal(acts().length, 0);
  const done = await ask({ unneeded: true, reason: 'the disk' });
  assert.deepEqual([done.removed, done.stays], [{ count: 1, bytes: 100 }, []]);
  assert.deepEqual(
    acts().map(({ target, reason, principal }) => [target, reason, principal]),
    [[sha256, 'the disk', 'person:ada']],
  );
  const named = await ask({ artifacts: [recent] });
  assert.equal(named.removed.count, 1);
  assert.deepEqual((await listed(lab, session)).artifacts, []);
});

test('what is asked for wrongly, or not there, is refused', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const refused = async (body: object) => codeOf(await lab.call('POST', REMOVE, { session, body }));
  const sha256 = 'ab'.repeat(32);
  assert.equal(await refused({}), 'E_OPERATE_INPUT');
  assert.equal(await refused({ artifacts: ['ab'] }), 'E_OPERATE_INPUT');
  assert.equal(await refused({ artifacts: [sha256] }), 'E_OPERATE_NOT_FOUND');
  const most = Array.from({ length: ARTIFACTS_NAMED_MAX }, () => sha256);
  assert.equal(await refused({ artifacts: most }), 'E_OPERATE_NOT_FOUND');
  assert.equal(await refused({ artifacts: [...most, sha256] }), 'E_OPERATE_INPUT');
  lab.journal.isReady = false;
  assert.equal(await refused({ unneeded: true }), 'E_JOURNAL_UNAVAILABLE');
  assert.equal((await lab.call('POST', REMOVE, { body: { unneeded: true } })).status, 401);
});
