import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError } from '@holdfast/client';
import { formatClaim } from '@holdfast/protocol';
import type { ClaimedDevice, DeviceView } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const device: DeviceView = {
  id: 'thermostat-1',
  class: 'sensor',
  group: '',
  state: 'claimed',
  stateReason: '',
  stateBy: 'local',
  createdAt: '2026-11-21T03:05:06.000Z',
};
const secret = 's'.repeat(43);
const claim = formatClaim({
  host: 'localhost',
  port: 8444,
  deviceId: device.id,
  anchorPin: 'a'.repeat(43),
  secret,
});
const claimed: ClaimedDevice = {
  device,
  claim: { text: claim, secret, expiresAt: '2026-11-22T03:05:06.000Z' },
};

describe('device add', () => {
  it('prints the claim, both ways to enroll, and when it expires', async () => {
    const asked: unknown[] = [];
    const addDevice = (request: unknown) => {
      asked.push(request);
      return Promise.resolve(claimed);
    };
    const world = new FakeWorld({ client: { addDevice } });
    assert.equal(await world.run('device', 'add', 'thermostat-1', '--class', 'sensor'), 0);
    assert.deepEqual(asked, [{ id: 'thermostat-1', class: 'sensor' }]);
    assert.equal(
      world.outText,
      `thermostat-1 (sensor) is ready to enroll. Its claim works once, until 2026-11-22 04:05:

  ${claim}

Next, on the device, either this, which asks for the claim,

  npx holdfast device enroll --out ./thermostat-1

or with openssl and curl (docs/guides/enroll-with-openssl.md), with

  server    https://localhost:8444
  user      thermostat-1
  password  ${secret}

Lost it, or it expired? holdfast device claim thermostat-1
`,
    );
  });

  it('adds a QR code on a terminal, and when asked for', async () => {
    const client = { claimDevice: () => Promise.resolve(claimed) };
    for (const { isTty, args } of [
      { isTty: true, args: [] },
      { isTty: false, args: ['--qr'] },
    ]) {
      const world = new FakeWorld({ client, isTty });
      assert.equal(await world.run('device', 'claim', 'thermostat-1', ...args), 0);
      assert.match(world.outText, /█/u);
    }
  });

  it('prints no command to copy that a server has made up', async () => {
    const evil = [
      `${claim};id`,
      `${claim}\n`,
      claim.replace('thermostat-1', 'thermostat-2'),
      '\u001B[2J',
    ];
    for (const text of evil) {
      const answer = { ...claimed, claim: { ...claimed.claim, text } };
      const world = new FakeWorld({ client: { claimDevice: () => Promise.resolve(answer) } });
      assert.equal(await world.run('device', 'claim', 'thermostat-1'), 1, text);
      assert.equal(world.outText, '');
      assert.match(world.errText, /E_CLIENT_RESPONSE/u);
    }
  });

  it('prints only JSON with --json', async () => {
    const client = { addDevice: () => Promise.resolve(claimed) };
    const world = new FakeWorld({ client, isTty: true });
    await world.run('device', 'add', 'thermostat-1', '--class', 'sensor', '--json');
    assert.deepEqual(JSON.parse(world.outText), claimed);
  });

  it('asks nothing of the server without a class, or with an unknown one', async () => {
    for (const args of [[], ['--class', 'sensro']]) {
      const world = new FakeWorld();
      assert.equal(await world.run('device', 'add', 'thermostat-1', ...args), 2);
      assert.match(world.errText, /--class sensor/u);
      assert.deepEqual(world.connections, []);
    }
  });

  it('passes on what the server refuses, with exit code 1', async () => {
    const refused = new ApiError({
      code: 'E_OPERATE_CONFLICT',
      message: 'It exists already.',
      fix: 'Take another id.',
      status: 409,
    });
    const world = new FakeWorld({ client: { addDevice: () => Promise.reject(refused) } });
    assert.equal(await world.run('device', 'add', 'a', '--class', 'sensor'), 1);
    assert.equal(
      world.errText,
      'error: It exists already.\n  code  E_OPERATE_CONFLICT\n' +
        '  why   The server was asked, and refused (HTTP 409).\n  fix   Take another id.\n',
    );
  });
});

describe('device list', () => {
  it('lines up its columns', async () => {
    const devices = [
      device,
      { ...device, id: 'a', group: 'north', state: 'revoked', stateReason: 'lost' } as const,
      { ...device, id: 'b', online: true, lastSeen: '2026-11-21T03:05:06.000Z' },
      { ...device, id: 'c', online: false, lastSeen: '2026-11-21T03:05:06.000Z' },
    ];
    const world = new FakeWorld({ client: { devices: () => Promise.resolve(devices) } });
    await world.run('device', 'list');
    assert.equal(
      world.outText,
      `DEVICE        CLASS   GROUP  STATE    SEEN              REASON
thermostat-1  sensor         claimed  never
a             sensor  north  revoked  never             lost
b             sensor         claimed  online
c             sensor         claimed  2026-11-21 04:05
`,
    );
  });

  it('has columns for tags and firmware when a device has them', async () => {
    const firmware = {
      runs: 'thermo@2.1.0',
      release: 'thermo@2.1.0',
      state: 'confirmed',
      at: '2026-11-21T03:05:06.000Z',
    };
    const devices = [{ ...device, tags: ['cold', 'roof'], firmware }];
    const world = new FakeWorld({ client: { devices: () => Promise.resolve(devices) } });
    await world.run('device', 'list');
    assert.equal(
      world.outText,
      `DEVICE        CLASS   GROUP  TAGS       STATE    SEEN   FIRMWARE      REASON
thermostat-1  sensor         cold roof  claimed  never  thermo@2.1.0
`,
    );
  });

  it('asks the server for those that are meant', async () => {
    const asked: unknown[] = [];
    const devices = (filter: unknown) => {
      asked.push(filter);
      return Promise.resolve([]);
    };
    const world = new FakeWorld({ client: { devices } });
    const options = ['--tag', 'roof', '--q', 'therm', '--offline', '--seen-before', '-1d'];
    await world.run('device', 'list', ...options, '--owner', 'no', '--firmware', 'thermo@2.1.0');
    assert.deepEqual(asked, [
      {
        tag: 'roof',
        q: 'therm',
        online: 'no',
        seenBefore: '2026-11-20T04:00:00.000Z',
        owner: 'no',
        firmware: 'thermo@2.1.0',
      },
    ]);
    assert.equal(await world.run('device', 'list', '--owner', 'perhaps'), 2);
  });

  it('shows control characters instead of obeying them', async () => {
    const devices = [{ ...device, stateReason: '\u001B[2J\u009B\u202E' }];
    for (const args of [[], ['--json']]) {
      const world = new FakeWorld({ client: { devices: () => Promise.resolve(devices) } });
      await world.run('device', 'list', ...args);
      assert.doesNotMatch(world.outText.replaceAll('\n', ''), /\p{C}/u);
    }
  });

  it('says how to add one when there is none', async () => {
    const world = new FakeWorld({ client: { devices: () => Promise.resolve([]) } });
    await world.run('device', 'list');
    assert.match(world.outText, /npx holdfast device add/u);
  });
});

describe('device command', () => {
  it('sends a JSON object', async () => {
    const sent: unknown[] = [];
    const sendCommand = (...request: unknown[]) => {
      sent.push(request);
      return Promise.resolve({ index: 7, receivers: 1 });
    };
    const world = new FakeWorld({ client: { sendCommand } });
    assert.equal(await world.run('device', 'command', 'a', 'set', '{"target": 21.5}'), 0);
    assert.deepEqual(sent, [['a', { name: 'set', body: { target: 21.5 } }]]);
    assert.match(world.outText, /entry 7/u);
  });

  it('fails when nobody received it', async () => {
    for (const args of [[], ['--json']]) {
      const sendCommand = () => Promise.resolve({ index: 7, receivers: 0 });
      const world = new FakeWorld({ client: { sendCommand } });
      assert.equal(await world.run('device', 'command', 'a', 'set', '{}', ...args), 1);
      assert.match(world.errText, /E_CLI_NOT_RECEIVED/u);
      assert.equal(world.outText, args.length === 0 ? '' : '{"index":7,"receivers":0}\n');
    }
  });

  it('takes nothing else', async () => {
    for (const text of ['{', '[]', 'null', '"x"', '1']) {
      const world = new FakeWorld();
      assert.equal(await world.run('device', 'command', 'a', 'set', text), 2, text);
    }
  });
});
