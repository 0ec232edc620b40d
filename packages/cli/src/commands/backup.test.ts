import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BackupRun, BackupStatus } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const TO = 'folder:/mnt/backup';
const run: BackupRun = {
  to: TO,
  startedAt: '2026-11-21T03:00:00.000Z',
  state: 'made',
  bytes: 2_000_000,
  newBytes: 512,
  totalBytes: 2_000_000,
  backup: '20261121t030000000z-aa',
  checkpoint: 'note',
};

describe('backup make', () => {
  it('waits for the end, and says what a backup needs', async () => {
    const states: BackupStatus[] = [
      { run: { ...run, state: 'running' }, destinations: [] },
      { run, destinations: [] },
    ];
    const client = {
      makeBackup: () => Promise.resolve({ ...run, state: 'running' } as const),
      backupStatus: () => Promise.resolve(states.shift() ?? assert.fail('asked too often')),
    };
    const world = new FakeWorld({ client });
    assert.equal(await world.run('backup', 'make', '--to', TO), 0);
    assert.match(world.outText, /2\.0 MB, of which 512 bytes are new/u);
    assert.match(world.outText, /unseal key is not part of it/u);
    assert.equal(world.errText, '', 'no progress where there is no terminal');
  });

  it('fails when the backup does, and when the server was started again', async () => {
    for (const now of [
      { ...run, state: 'failed', why: 'the disk is full' } as const,
      undefined,
      { ...run, startedAt: '2026-11-21T04:00:00.000Z' },
    ]) {
      const client = {
        makeBackup: () => Promise.resolve({ ...run, state: 'running' } as const),
        backupStatus: () => Promise.resolve({ run: now, destinations: [] }),
      };
      const world = new FakeWorld({ client });
      assert.equal(await world.run('backup', 'make', '--to', TO), 1);
      assert.match(world.errText, /E_CLI_BACKUP/u);
    }
  });

  it('needs to know where to', async () => {
    assert.equal(await new FakeWorld().run('backup', 'make'), 2);
    for (const place of ['/mnt/backup', 'mnt/backup', 'folder:mnt', 's3:/x', 'https://x/y']) {
      const world = new FakeWorld();
      assert.equal(await world.run('backup', 'make', '--to', place), 2, place);
      assert.equal(/Did you mean folder:\/mnt\/backup\?/u.test(world.errText), place[0] === '/');
    }
  });
});

describe('backup status', () => {
  it('says what is wrong, and nothing more than that it is well', async () => {
    const lastBackup = { id: 'a', at: run.startedAt, bytes: 1_500, newBytes: 0 };
    const failure = { at: run.startedAt, what: 'unreachable' };
    const status: BackupStatus = {
      destinations: [
        { name: TO, lastBackup, hasKeys: true },
        { name: 's3://gone', failure, hasKeys: false },
      ],
      schedule: { to: TO, everyHours: 24 },
      lastDrill: { at: run.startedAt, backup: 'a', from: TO, isGood: false, findings: 1 },
    };
    const world = new FakeWorld({ client: { backupStatus: () => Promise.resolve(status) } });
    assert.equal(await world.run('backup', 'status'), 0);
    assert.equal(
      world.outText,
      `folder:/mnt/backup: last backup 2026-11-21 04:00:00, 1.5 kB
s3://gone: no backup was finished yet
  An erasure has not reached it yet; it is tried again.
  2026-11-21 04:00:00: unreachable
A backup is made every 24 h to folder:/mnt/backup.
The last restore was tried 2026-11-21 04:00:00, and it FAILED.
`,
    );
  });
});

describe('backup schedule, prune and forget', () => {
  it('read spans and numbers, and refuse others', async () => {
    const asked: unknown[] = [];
    const status: BackupStatus = { destinations: [] };
    const client = {
      scheduleBackups: (schedule: unknown) => {
        asked.push(schedule);
        return Promise.resolve(status);
      },
      pruneBackups: (request: unknown) => {
        asked.push(request);
        return Promise.resolve({ backups: 2, chunks: 3, bytes: 1_000 });
      },
      forgetDestination: (request: unknown) => {
        asked.push(request);
        return Promise.resolve(status);
      },
    };
    const ok = async (...args: string[]): Promise<void> => {
      assert.equal(await new FakeWorld({ client }).run('backup', ...args), 0, args.join(' '));
    };
    await ok('schedule', '--to', TO, '--every', '24h');
    await ok('schedule', '--to', TO, '--every', '90d');
    await ok('schedule', '--off');
    await ok('prune', '--from', TO, '--keep', '1');
    await ok('forget', TO, '--reason', 'shredded');
    assert.deepEqual(asked, [
      { to: TO, everyHours: 24 },
      { to: TO, everyHours: 2_160 },
      undefined,
      { from: TO, keep: 1 },
      { name: TO, reason: 'shredded' },
    ]);
    for (const args of [
      ['schedule', '--to', TO, '--every', '0h'],
      ['schedule', '--to', TO, '--every', '91d'],
      ['schedule', '--to', TO, '--every', '30m'],
      ['schedule', '--to', TO],
      ['schedule', '--off', '--to', TO],
      ['prune', '--from', TO, '--keep', '0'],
      ['prune', '--from', TO],
      ['forget', TO],
    ]) {
      assert.equal(await new FakeWorld({ client }).run('backup', ...args), 2, args.join(' '));
    }
  });
});

describe('backup drill', () => {
  it('puts a restore that failed on the log, too', async () => {
    const recorded: unknown[] = [];
    const client = {
      recordDrill: (drill: unknown) => {
        recorded.push(drill);
        return Promise.resolve({ destinations: [] });
      },
    };
    const drillRestore = () => Promise.reject(new Error('chunk ab is gone'));
    const world = new FakeWorld({ client, server: { drillRestore } });
    assert.equal(await world.run('backup', 'drill', '--from', TO), 1);
    assert.deepEqual(recorded, [
      {
        backup: 'newest',
        from: TO,
        isGood: false,
        findings: 1,
        entries: 0,
        why: 'chunk ab is gone',
      },
    ]);
  });
});

describe('device erase', () => {
  const erased = { device: 'pump-1', keys: 1, pending: ['s3://away'], isScrubbed: false };
  const clientOf = (asked: unknown[]) => ({
    eraseDevice: (...request: unknown[]) => {
      asked.push(request);
      return Promise.resolve(erased);
    },
  });
  const args = ['device', 'erase', 'pump-1', '--reason', 'asked for'];

  it('asks for the id on a terminal, for --yes in a script, and always for a reason', async () => {
    for (const [options, more, code] of [
      [{ isTty: true, answers: ['pump-1'] }, [], 0],
      [{ isTty: true, answers: ['yes'] }, [], 1],
      [{}, [], 1],
      [{}, ['--yes'], 0],
    ] as const) {
      const asked: unknown[] = [];
      const world = new FakeWorld({ client: clientOf(asked), ...options });
      assert.equal(await world.run(...args, ...more), code);
      assert.equal(asked.length, code === 0 ? 1 : 0);
    }
    assert.equal(await new FakeWorld().run('device', 'erase', 'pump-1', '--yes'), 2);
  });

  it('says which backups do not know of it yet', async () => {
    const world = new FakeWorld({ client: clientOf([]) });
    await world.run(...args, '--yes');
    assert.match(
      world.outText,
      /is erased\.\nThese backups do not know of it yet.*\n {2}s3:\/\/away\n/u,
    );
  });
});

describe('export', () => {
  it('refuses what there is not', async () => {
    for (const args of [
      ['readings'],
      ['readings', '--out', 'x', '--format', 'xls'],
      ['readings', '--out', 'x', '--from', 'yesterday'],
      ['acts', '--out', 'x', '--device', 'pump-1'],
    ]) {
      assert.equal(await new FakeWorld().run('export', ...args), 2, args.join(' '));
    }
  });
});
