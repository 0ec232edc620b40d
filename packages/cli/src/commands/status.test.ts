import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
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
const refusal = {
  index: 1,
  at: '2026-11-21T03:05:06Z',
  code: 'E_VERIFY_SIG',
  what: '',
  fix: '',
  detail: '',
  count: 3,
};

describe('status', () => {
  it('shows one screen', async () => {
    const common = {
      class: 'sensor',
      group: '',
      stateReason: '',
      stateBy: '',
      createdAt: server.startedAt,
    } as const;
    const devices = [
      { ...common, id: 'a', state: 'active' },
      { ...common, id: 'b', state: 'active' },
      { ...common, id: 'c', state: 'claimed' },
    ] as const;
    const client = {
      server: () => Promise.resolve(server),
      devices: () => Promise.resolve([...devices]),
      refusals: () => Promise.resolve([refusal, { ...refusal, at: '2026-11-20T03:59:59Z' }]),
    };
    const world = new FakeWorld({ client });
    assert.equal(await world.run('status'), 0);
    assert.equal(
      world.outText,
      `Holdfast 0.1.0, up for 3 h 12 min
  broker      mqtts://localhost:8883
  API         https://localhost:8443
  enrollment  https://localhost:8444
  pin         sha256//${server.pins.spki}
  devices     2 active, 1 claimed
  refusals    3 in the last 24 hours, the last 2026-11-21 04:05:06 E_VERIFY_SIG
`,
    );
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
