import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BackupRun, BackupStatus } from '@holdfast/protocol/api';
import type { RestoreReport, VerifyReport } from '@holdfast/server';
import { FakeWorld } from '../fake-world.ts';

const PLACE = 's3://fleet/firmware';
const FROM = 'folder:/mnt/backup';
const SHA256 = 'ab'.repeat(32);
const LEAVE_OUT = ['backup', 'artifacts', '--leave-out', '--reason', 'replicated'];

const run: BackupRun = {
  to: FROM,
  startedAt: '2026-11-21T03:00:00.000Z',
  state: 'made',
  bytes: 2_000_000,
  newBytes: 512,
  totalBytes: 2_000_000,
  backup: '20261121t030000000z-aa',
};

describe('backup artifacts', () => {
  it('leaves out or copies, for a reason, and not both', async () => {
    const asked: unknown[] = [];
    const client = {
      leaveOutArtifacts: (request: { isLeftOut: boolean; reason: string }) => {
        asked.push(request);
        const { isLeftOut } = request;
        return Promise.resolve({ destinations: [], artifacts: { place: PLACE, isLeftOut } });
      },
    };
    const world = new FakeWorld({ client });
    assert.equal(await world.run(...LEAVE_OUT), 0);
    assert.match(world.outText, /are left out: they are in s3:\/\/fleet\/firmware\./u);
    const again = new FakeWorld({ client });
    assert.equal(await again.run('backup', 'artifacts', '--copy', '--reason', 'it is not'), 0);
    assert.doesNotMatch(again.outText, /left out/u);
    assert.deepEqual(asked, [
      { isLeftOut: true, reason: 'replicated' },
      { isLeftOut: false, reason: 'it is not' },
    ]);
    for (const args of [
      [...LEAVE_OUT, '--copy'],
      ['backup', 'artifacts', '--reason', 'x'],
      ['backup', 'artifacts', '--copy'],
    ]) {
      assert.equal(await new FakeWorld({ client }).run(...args), 2, args.join(' '));
    }
  });
});

describe('what a backup has not', () => {
  const madeWith = async (artifacts: BackupRun['artifacts']): Promise<string> => {
    const made = { ...run, artifacts };
    const world = new FakeWorld({ client: { makeBackup: () => Promise.resolve(made) } });
    assert.equal(await world.run('backup', 'make', '--to', FROM), 0);
    return world.outText;
  };

  it('is said when it is made', async () => {
    assert.match(await madeWith({ count: 3, missing: 1 }), /1 artifact is NOT in it/u);
    const leftOut = await madeWith({ count: 3, missing: 0, leftOut: PLACE });
    assert.match(leftOut, /are left out: they are in s3:/u);
    for (const artifacts of [undefined, { count: 3, missing: 0 }]) {
      assert.doesNotMatch(await madeWith(artifacts), /rtifact/u);
    }
  });

  it('is said by the status', async () => {
    const lastBackup = { id: 'a', at: run.startedAt, bytes: 1, newBytes: 0 };
    const artifacts = { count: 3, missing: 2 };
    const status: BackupStatus = {
      destinations: [{ name: FROM, lastBackup: { ...lastBackup, artifacts }, hasKeys: true }],
    };
    const world = new FakeWorld({ client: { backupStatus: () => Promise.resolve(status) } });
    assert.equal(await world.run('backup', 'status'), 0);
    assert.match(world.outText, /\n {2}2 artifacts are NOT in it.* holdfast fw upload FILE\n/u);
  });
});

const verified: VerifyReport = {
  ok: true,
  findings: [],
  since: 0,
  entries: 3,
  messages: 0,
  acts: 3,
  refusals: 0,
  events: 0,
  erased: 0,
  expired: 0,
  checkpoints: 1,
  size: 3,
  root: '',
  verifierKey: '',
  keySource: 'given',
  checkpoint: undefined,
  seconds: 0,
};

describe('what a restore says of artifacts', () => {
  const restoredWith = async (artifacts: RestoreReport['artifacts']): Promise<string> => {
    const report: RestoreReport = {
      backup: 'a',
      at: run.startedAt,
      checkpoint: 'log\n3\nroot\n',
      verified,
      erasedDevices: 0,
      devices: 1,
      artifacts,
    };
    const world = new FakeWorld({ server: { restoreData: () => Promise.resolve(report) } });
    assert.equal(await world.run('restore', '--from', FROM, '--data', 'new'), 0);
    return world.outText;
  };
  const none = { count: 0, bytes: 0, missing: [], areInBackup: true };

  it('is that they are whole, or which are missing, and why', async () => {
    assert.doesNotMatch(await restoredWith(none), /rtifact/u);
    const whole = await restoredWith({ ...none, count: 2, bytes: 3_000_000 });
    assert.match(whole, /2 artifacts are there and whole: 3\.0 MB\.\n/u);
    const lost = await restoredWith({ ...none, missing: [SHA256] });
    assert.match(lost, /1 artifact is MISSING\. The server had not all of each/u);
    assert.ok(lost.includes(SHA256));
    const old = await restoredWith({ ...none, missing: [SHA256], areInBackup: false });
    assert.match(old, /holds none, as older versions made it/u);
    const leftOut = { ...none, missing: [SHA256], areInBackup: false, leftOut: PLACE };
    assert.match(await restoredWith(leftOut), /They were in s3:\/\/fleet\/firmware: start with/u);
  });

  it('names the first five', async () => {
    const hashes = (count: number) => Array.from({ length: count }, () => SHA256);
    assert.doesNotMatch(await restoredWith({ ...none, missing: hashes(5) }), /and . more/u);
    const six = await restoredWith({ ...none, missing: hashes(6) });
    assert.equal(six.split(SHA256).length - 1, 5);
    assert.match(six, /and 1 more/u);
  });
});
