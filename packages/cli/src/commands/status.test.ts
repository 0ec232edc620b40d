import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ApiError, type Client } from '@holdfast/client';
import type { Overview, Trouble } from '@holdfast/protocol/api';
import type { VerifyReport } from '@holdfast/server';
import { FakeWorld } from '../fake-world.ts';

const server = {
  version: '0.1.0',
  broker: 'mqtts://localhost:8883',
  api: 'https://localhost:8443',
  enroll: 'https://localhost:8444',
  pins: {
    certificate: 'ab'.repeat(32),
    spki: `${'A'.repeat(43)}=`,
    backupSpki: `${'B'.repeat(43)}=`,
  },
  verifierKey: 'k',
  startedAt: '2026-11-21T00:48:00.000Z',
};

const overview: Overview = {
  at: '2026-11-21T04:00:00.000Z',
  version: '0.1.0',
  startedAt: server.startedAt,
  isReady: true,
  troubles: [],
  fleet: {
    total: 2_013,
    isWhole: true,
    byState: { active: 2_000, claimed: 12, quarantined: 1, revoked: 0 },
    byClass: { sensor: 2_013 },
    connected: 1_950,
    neverSeen: 3,
    unproven: 0,
    countedAt: '2026-11-21T04:00:00.000Z',
  },
  certificates: {
    ending: { count: 4, devices: ['a', 'b', 'c', 'd'] },
    ended: { count: 0, devices: [] },
  },
  traffic: { acceptedPerS: 480.4, refusedPerS: 0.25, connections: 1, sessions: 1_953 },
  refusals: {
    total: 6,
    byCode: [
      { code: 'E_VERIFY_SIG', what: '', count: 3 },
      { code: 'E_VERIFY_REPLAY', what: '', count: 2 },
      { code: 'E_WIRE_TLS', what: '', count: 1 },
    ],
  },
  updates: {
    byState: {},
    rollouts: [
      {
        id: '5be1c0de',
        release: 'thermo@2.1.0',
        state: 'paused',
        stateBy: 'server',
        stateReason: '',
        stateAt: server.startedAt,
        devices: 500,
        confirmed: 120,
        failed: 2,
      },
    ],
  },
  log: {
    size: 12_345,
    lastVerification: {
      at: '2026-11-21T02:00:00.000Z',
      by: 'person:ada',
      ok: true,
      findings: 0,
    },
    witnesses: 0,
    isBehind: false,
  },
  serverCertificate: { endsAt: '2027-12-01T04:00:00.000Z' },
  disk: { condition: 'good', freeBytes: 2 ** 40, reserveBytes: 2 ** 26 },
};
const trouble: Trouble = {
  severity: 'warning',
  code: 'backup-none',
  title: 'There is no backup.',
  why: 'What the disk loses is lost.',
  fix: 'Make one.',
  href: '/settings',
  command: 'holdfast backup make --to folder:/mnt/backup',
};

const ESC = '\u001B';

/** Answers with one overview after the other, and then with the last one. */
function clientOf(...overviews: readonly (Overview | Error)[]): Partial<Client> {
  const left = [...overviews];
  return {
    server: () => Promise.resolve(server),
    overview: () => {
      const next = left.length > 1 ? left.shift() : left[0];
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next ?? overview);
    },
  };
}

describe('status', () => {
  it('shows on one screen that everything is well, and ends with 0', async () => {
    const world = new FakeWorld({ client: clientOf(overview) });
    assert.equal(await world.run('status'), 0);
    assert.equal(
      world.outText,
      `✓ Everything is well.  Holdfast 0.1.0, up for 3 h 12 min

  devices       2,013: 2,000 active, 12 claimed, 1 quarantined; 1,950 connected, 3 never seen
  certificates  4 (a, b, c, …) ending within 7 days
  messages      480/s accepted, 0.3/s refused; 1 connection
  refusals      6 in the last hour: 3 E_VERIFY_SIG, 2 E_VERIFY_REPLAY, 1 E_WIRE_TLS
  rollouts      thermo@2.1.0 (5be1c0de) paused: 120 of 500 confirmed, 2 failed
  audit log     12,345 entries; verified 2 h ago by person:ada
  disk          1,048,576 MiB free
  server        its certificate ends in 375 d (2027-12-01)
  broker        mqtts://localhost:8883
  console       https://localhost:8443
  enrollment    https://localhost:8444
  pin           sha256//${server.pins.spki}
`,
    );
  });

  it('shows what is wrong first, with why and fix, and ends with 4', async () => {
    const advice = { ...trouble, severity: 'advice', title: 'Make recovery shares.' } as const;
    const { command: _, ...critical } = { ...trouble, severity: 'critical' } as const;
    const wrong = { ...overview, troubles: [critical, trouble, advice] };
    const world = new FakeWorld({ client: clientOf(wrong) });
    assert.equal(await world.run('status'), 4);
    assert.ok(
      world.outText.startsWith(`✗ 2 things are wrong.  Holdfast 0.1.0, up for 3 h 12 min

  ✗ critical: There is no backup.
    why  What the disk loses is lost.
    fix  Make one.

  ! warning: There is no backup.
    why  What the disk loses is lost.
    fix  Make one.
    run  holdfast backup make --to folder:/mnt/backup

  devices       2,013`),
      world.outText,
    );
    // Advice comes last, on a line.
    const advised =
      '\nAdvice\n  · Make recovery shares.  holdfast backup make --to folder:/mnt/backup\n';
    assert.ok(world.outText.endsWith(advised), world.outText);
    assert.equal(world.errText, '');
  });

  it('takes advice for no trouble, and a server that cannot store for one', async () => {
    const advised = { ...overview, troubles: [{ ...trouble, severity: 'advice' } as const] };
    const fine = new FakeWorld({ client: clientOf(advised) });
    assert.equal(await fine.run('status'), 0);
    assert.match(fine.outText, /^✓ Nothing is wrong; 1 piece of advice\./u);
    const stuck = new FakeWorld({ client: clientOf({ ...overview, isReady: false }) });
    assert.equal(await stuck.run('status'), 4);
    assert.match(stuck.outText, /^✗ The server cannot store/u);
  });

  it('prints JSON with the verdict, and the same exit code', async () => {
    const wrong = { ...overview, troubles: [trouble] };
    const world = new FakeWorld({ client: clientOf(wrong) });
    assert.equal(await world.run('status', '--json'), 4);
    const { isWell, troubles, api, fleet } = JSON.parse(world.outText);
    assert.deepEqual([isWell, troubles, api, fleet.total], [false, [trouble], server.api, 2_013]);
  });

  it('says nothing of what the caller may not see, and obeys no control character', async () => {
    const { refusals: _, updates: __, log: ___, disk: ____, ...little } = overview;
    const evil = { ...trouble, title: '\u001B[2Jgone' };
    const world = new FakeWorld({ client: clientOf({ ...little, troubles: [evil] }) });
    assert.equal(await world.run('status'), 4);
    assert.doesNotMatch(world.outText, /^ {2}(?:audit log|rollouts|refusals|disk)/mu);
    assert.doesNotMatch(world.outText.replaceAll('\n', ''), /\p{C}/u);
  });

  it('is drawn over itself on a terminal, and goes on while the server starts again', async () => {
    const error = new ApiError({ code: 'E_CLIENT_UNREACHABLE', message: 'Away.', fix: '' });
    const wrong = { ...overview, troubles: [trouble] };
    const client = clientOf(overview, error, wrong);
    const world = new FakeWorld({ client, isTty: true, pauses: 2 });
    await world.run('status', '--watch');
    const [first = '', second = '', ...more] = world.out;
    assert.equal(more.length, 0);
    assert.ok(first.startsWith(`${ESC}[2J${ESC}[?7l${ESC}[H✓ Everything is well`), first);
    assert.ok(second.startsWith(`${ESC}[?7l${ESC}[H✗ 1 thing is wrong`), second);
    assert.ok(second.split('\n').length <= 24);
    assert.match(world.errText, /^Away\. Trying again\.\n/u);
  });

  it('is repeated where there is no terminal, with --json a line at a time', async () => {
    const text = new FakeWorld({ client: clientOf(overview), pauses: 1 });
    await text.run('status', '--watch');
    assert.equal(text.outText.match(/^--- 05:00:0[05]\n✓/gmu)?.length, 2);
    assert.ok(!text.outText.includes(ESC));
    const json = new FakeWorld({ client: clientOf(overview), pauses: 1, isTty: true });
    await json.run('status', '--watch', '--json');
    const lines = json.outText.trim().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).isWell),
      [true, true],
    );
  });

  it('does not wait for a server that it never reached', async () => {
    const error = new ApiError({ code: 'E_CLIENT_UNREACHABLE', message: 'Away.', fix: '' });
    const world = new FakeWorld({ client: clientOf(error), pauses: 2 });
    assert.equal(await world.run('status', '--watch'), 3);
  });
});

describe('pin', () => {
  it('prints the lines of server.pin', async () => {
    const world = new FakeWorld({ client: { server: () => Promise.resolve(server) } });
    await world.run('pin');
    const colons = `${'AB:'.repeat(31)}AB`;
    const { spki, backupSpki } = server.pins;
    const lines = [`sha256//${spki}`, `SHA256 Fingerprint=${colons}`, `sha256//${backupSpki}`];
    assert.equal(world.outText, `${lines.join('\n')}\n`);
    assert.match(world.errText, /^Line 1 .*\n.*Line 2 .*\n.*Line 3 /su);
  });
});

describe('pin of a bundle', () => {
  it('prints what a device accepts, without a server', async () => {
    const pins = [{ spki: server.pins.spki }, { certificate: 'ab'.repeat(32) }];
    const loadBundle = () => ({ pins, backupPins: [{ spki: server.pins.backupSpki }] });
    const world = new FakeWorld({ device: { readPinsOf: loadBundle }, hasLocalServer: false });
    assert.equal(await world.run('pin', '--bundle', './pump-1'), 0);
    assert.deepEqual(world.outText.split('\n'), [
      `sha256//${server.pins.spki}`,
      `SHA256 Fingerprint=${'AB:'.repeat(31)}AB`,
      `sha256//${server.pins.backupSpki}`,
      '',
    ]);
  });

  it('takes one source', async () => {
    const world = new FakeWorld({});
    assert.equal(await world.run('pin', '--bundle', './pump-1', '--server', 'a:1'), 2);
    assert.equal(await new FakeWorld({}).run('pin', '--server', 'no-port'), 2);
  });
});

describe('server rotate-key', () => {
  it('asks first, and says what to do then', async () => {
    const calls: string[] = [];
    const rotateServerKey = () => {
      calls.push('rotate');
      return Promise.resolve(server.pins);
    };
    const client = { server: () => Promise.resolve(server), rotateServerKey };
    const no = new FakeWorld({ client, isTty: true, answers: ['no'] });
    assert.equal(await no.run('server', 'rotate-key'), 1);
    assert.equal(await new FakeWorld({ client }).run('server', 'rotate-key'), 2);
    assert.deepEqual(calls, []);
    const yes = new FakeWorld({ client, isTty: true, answers: ['rotate'] });
    assert.equal(await yes.run('server', 'rotate-key'), 0);
    assert.deepEqual(calls, ['rotate']);
    assert.match(yes.outText, /sha256\/\//u);
  });
});

describe('audit verify', () => {
  const good: VerifyReport = {
    ok: true,
    entries: 1_234,
    messages: 1_200,
    acts: 30,
    refusals: 4,
    events: 0,
    erased: 0,
    expired: 0,
    since: 0,
    checkpoint: undefined,
    checkpoints: 12,
    size: 1_234,
    root: 'ab'.repeat(32),
    findings: [],
    verifierKey: 'k',
    keySource: 'data folder',
    seconds: 0.1234,
  };

  it('ends with 0 when nothing was changed, and says where the key came from', async () => {
    const verifyData = () => Promise.resolve(good);
    const world = new FakeWorld({ server: { verifyData }, hasLocalServer: false });
    assert.equal(await world.run('audit', 'verify'), 0);
    assert.match(world.outText, /^✓ Nothing was changed\.\n\n {2}entries {6}1,234 of 1,234/u);
    assert.match(world.outText, /give --key/u);
  });

  it('ends with 1 when something was, and names it', async () => {
    const findings = [
      { entries: { first: 5, last: 9 }, what: 'the entries are missing' },
      { what: 'a checkpoint has a bad signature' },
    ];
    const verifyData = () => Promise.resolve({ ...good, ok: false, findings });
    const world = new FakeWorld({ server: { verifyData }, hasLocalServer: false });
    assert.equal(await world.run('audit', 'verify'), 1);
    assert.match(
      world.outText,
      /✗ entries 5 to 9: the entries are missing\n {2}✗ the log: a check/u,
    );
    assert.match(world.errText, /E_AUDIT_CHANGED/u);
  });

  it('takes the key from a file', async () => {
    const keys: unknown[] = [];
    const verifyData = ({ verifierKey }: { verifierKey?: string | undefined }) => {
      keys.push(verifierKey);
      return Promise.resolve({ ...good, keySource: 'given' as const });
    };
    const world = new FakeWorld({ server: { verifyData }, hasLocalServer: false });
    const path = `${world.home}/log.pub`;
    writeFileSync(path, 'the key\n');
    await world.run('audit', 'verify', '--key', `@${path}`, '--json');
    assert.deepEqual(keys, ['the key']);
    assert.equal(JSON.parse(world.outText).ok, true);
  });
});
