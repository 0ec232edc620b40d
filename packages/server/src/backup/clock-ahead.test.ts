/** Backups of a machine whose clock was ahead for a while. @module */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../kernel/index.ts';
import { hasPassed } from './backups.ts';
import { openBackupLab } from './lab.testing.ts';
import { makeBackup } from './make-backup.ts';
import { listBackups } from './prune.ts';

const YEAR_MS = 365 * 86_400_000;

test('the newest backup is the one that was made last, whatever the clock was', async (t) => {
  const lab = openBackupLab(t, { mebibytes: 1 });
  const options = lab.optionsFor(lab.bucket);
  const ahead = { ...systemClock, nowMs: () => Date.now() + YEAR_MS };
  const made = [
    await makeBackup({ ...options, clock: ahead }),
    await makeBackup(options),
    await makeBackup(options),
  ];
  const { heads } = await listBackups(lab.bucket, lab.verifierKey);
  assert.deepEqual(
    heads.map(({ id }) => id),
    made.map(({ id }) => id),
  );
  assert.ok(Date.parse(heads[1]?.at ?? '') < Date.now() + YEAR_MS / 2, 'its time is the right one');
});

test('a time ahead of now holds nothing back', () => {
  assert.equal(hasPassed(10, 100, 109), false);
  assert.equal(hasPassed(10, 100, 110), true);
  assert.equal(hasPassed(10, 100, 99), true);
});
