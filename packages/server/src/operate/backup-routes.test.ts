import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLab } from './lab.testing.ts';

const OK = 200;
const REFUSED = 400;
const ABSENT = 404;

test('a drill is put on the log, and seen in the status', async (t) => {
  const lab = openLab(t);
  const drill = { backup: '20261121t030000000z-aa', from: 'folder:/b', isGood: false, findings: 2 };
  const body = { ...drill, entries: 10, why: 'a chunk is gone' };
  const answer = await lab.call('POST', '/v1/backups/drills', { token: lab.localToken, body });
  assert.equal(answer.status, OK);
  const act = lab.recorded.find(({ action }) => action === 'backup.drill');
  assert.deepEqual(act?.facts, {
    backup: drill.backup,
    isGood: false,
    findings: 2,
    entries: 10,
    why: 'a chunk is gone',
  });
  const status = (await answer.json()) as { lastDrill: { isGood: boolean } };
  assert.equal(status.lastDrill.isGood, false);
});

test('a schedule is set, shown and ended, each time on the log', async (t) => {
  const lab = openLab(t);
  const path = '/v1/backups/schedule';
  const token = lab.localToken;
  for (const everyHours of [1, 2_160]) {
    const set = await lab.call('PUT', path, { token, body: { to: 'folder:/b', everyHours } });
    assert.equal(set.status, OK);
    const { schedule } = (await set.json()) as { schedule: unknown };
    assert.deepEqual(schedule, { to: 'folder:/b', everyHours });
  }
  for (const everyHours of [0, 2_161, 1.5]) {
    const set = await lab.call('PUT', path, { token, body: { to: 'folder:/b', everyHours } });
    assert.equal(set.status, REFUSED, String(everyHours));
  }
  for (const to of ['s4://x', 'folder:relative', '/plain']) {
    const set = await lab.call('PUT', path, { token, body: { to, everyHours: 1 } });
    assert.equal(set.status, REFUSED, to);
  }
  const ended = await lab.call('DELETE', path, { token });
  assert.equal(((await ended.json()) as { schedule?: unknown }).schedule, undefined);
  const acts = lab.recorded.map(({ action }) => action);
  assert.deepEqual(acts, ['backup.schedule', 'backup.schedule', 'backup.unschedule']);
});

test('no folder is read, pruned or forgotten that no backup was made to', async (t) => {
  const lab = openLab(t);
  const token = lab.localToken;
  const from = 'folder:/etc';
  const list = await lab.call('GET', `/v1/backups?from=${encodeURIComponent(from)}`, { token });
  assert.equal(list.status, ABSENT);
  const prune = await lab.call('POST', '/v1/backups/prune', { token, body: { from, keep: 1 } });
  assert.equal(prune.status, ABSENT);
  const body = { name: from, reason: 'gone' };
  const forget = await lab.call('POST', '/v1/backups/forget', { token, body });
  assert.equal(forget.status, ABSENT);
  assert.deepEqual(lab.recorded, []);
});

test('what a destination has in the way of a list is told, not hidden', async (t) => {
  const lab = openLab(t);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-backups-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const from = `folder:${folder}`;
  const { records } = lab.deps.backups;
  records.destinations.write(from, { name: from, sequence: 0, keysState: '' });
  const path = `/v1/backups?from=${encodeURIComponent(from)}`;
  const empty = await lab.call('GET', path, { token: lab.localToken });
  assert.deepEqual(await empty.json(), { backups: [], damaged: [] });
});

test('artifacts of the data folder are not left out; to copy them is on the log', async (t) => {
  const lab = openLab(t);
  const token = lab.localToken;
  const path = '/v1/backups/artifacts';
  const body = { isLeftOut: true, reason: 'replicated' };
  const refused = await lab.call('PUT', path, { token, body });
  assert.equal(refused.status, 409);
  const nameless = await lab.call('PUT', path, { token, body: { isLeftOut: false } });
  assert.equal(nameless.status, REFUSED);
  assert.equal(lab.recorded.length, 0);
  const copied = await lab.call('PUT', path, { token, body: { ...body, isLeftOut: false } });
  assert.equal(copied.status, OK);
  const { artifacts } = (await copied.json()) as { artifacts: unknown };
  assert.deepEqual(artifacts, { isLeftOut: false });
  const [act] = lab.recorded;
  assert.deepEqual([act?.action, act?.facts], ['backup.artifacts', { isLeftOut: false }]);
});
