import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Client } from '@holdfast/client';
import type { DeviceView } from '@holdfast/protocol/api';
import { FakeWorld, type FakeWorldOptions } from '../fake-world.ts';

type Asked = [string, ...unknown[]];

function device(id: string, rest: Partial<DeviceView> = {}): DeviceView {
  return {
    id,
    class: 'actuator',
    group: 'simulated',
    state: 'active',
    stateReason: '',
    stateBy: 'local',
    createdAt: '2026-11-21T03:05:06.000Z',
    ...rest,
  };
}

/** A server that knows some devices, and keeps what it is asked to do. */
function serverOf(devices: readonly DeviceView[]): { asked: Asked[]; client: Partial<Client> } {
  const asked: Asked[] = [];
  // Of what a server says of itself, only this matters here.
  const info = { verifierKey: 'log.example+0001+key', api: 'https://localhost:8443' };
  const claimOf = (id: string) => ({
    device: device(id),
    claim: { text: `claim of ${id}`, secret: '', expiresAt: '' },
  });
  return {
    asked,
    client: {
      server: () => Promise.resolve(info as Awaited<ReturnType<Client['server']>>),
      devices: () => Promise.resolve([...devices]),
      importDevices: ({ devices: some }) => {
        asked.push(['import', ...some.map(({ id }) => id)]);
        const claims = some.map(({ id }) => ({ id, text: `claim of ${id}`, expiresAt: '' }));
        return Promise.resolve({ added: some.length, claimedAgain: 0, conflicts: [], claims });
      },
      claimDevice: (id) => {
        asked.push(['claim', id]);
        return Promise.resolve(claimOf(id));
      },
      actOnDevices: (request) => {
        asked.push(['act', request]);
        return Promise.resolve({ changed: 1, passedOver: 0, passedOverList: [] });
      },
      eraseDevice: (id) => {
        asked.push(['erase', id]);
        return Promise.resolve({ device: id, keys: 1, pending: [], isScrubbed: true });
      },
    },
  };
}

/** Enrolls by making a folder; the world is stopped at the last one, so that nothing connects. */
function worldOf(
  client: Partial<Client>,
  { enrolls, ...options }: FakeWorldOptions & { enrolls?: number } = {},
): FakeWorld {
  let enrolled = 0;
  const world: FakeWorld = new FakeWorld({
    client,
    device: {
      enroll: ({ out }: { out: string }) => {
        mkdirSync(out, { recursive: true, mode: 0o700 });
        enrolled += 1;
        if (enrolled === enrolls) for (const stop of world.stopListeners) stop();
        return Promise.resolve({} as never);
      },
    },
    ...options,
  });
  return world;
}

const stateOf = ({ home }: FakeWorld): string =>
  join(home, '.local', 'state', 'holdfast', 'simulated');

function folderOf(world: FakeWorld): string {
  const [name = ''] = readdirSync(stateOf(world));
  return join(stateOf(world), name);
}

const pump = device('pump-1', { group: '' });

describe('simulate', () => {
  it('asks before it joins real devices, and does nothing without a yes', async () => {
    for (const answer of ['', 'no', 'y']) {
      const { asked, client } = serverOf([pump]);
      const world = new FakeWorld({ client, isTty: true, answers: [answer] });
      assert.equal(await world.run('simulate', '--misbehave', '2'), 1);
      assert.match(world.errText, /has 1 device that is not simulated/u);
      assert.match(world.errText, /2 of them attack the server/u);
      assert.deepEqual(asked, []);
      assert.ok(!existsSync(stateOf(world)));
    }
  });

  it('does not join real devices in a script that does not say so', async () => {
    const { asked, client } = serverOf([pump]);
    const world = new FakeWorld({ client });
    assert.equal(await world.run('simulate'), 1);
    assert.match(world.errText, /E_CLI_NOT_CONFIRMED/u);
    assert.match(world.errText, /--mixed/u);
    assert.deepEqual(asked, []);
  });

  it('enrolls by claims, can be stopped, and goes on with those that are missing', async () => {
    const { asked, client } = serverOf([]);
    const world = worldOf(client, { enrolls: 1 });
    assert.equal(await world.run('simulate', '--devices', '9'), 0);
    const ids = Array.from({ length: 9 }, (_, at) => `sim-1-thermostat-000${at + 1}`);
    assert.deepEqual(asked[0], ['import', ...ids]);
    assert.deepEqual(asked[1], [
      'act',
      {
        act: 'add-tags',
        tags: ['simulated'],
        select: { ids },
        reason: 'simulated devices',
      },
    ]);
    const there = readdirSync(join(folderOf(world), 'devices'));
    assert.ok(there.length > 0 && there.length < 9);
    assert.match(world.errText, new RegExp(`${there.length} of 9 devices are enrolled`, 'u'));
    assert.ok(!existsSync(join(folderOf(world), 'lock')), 'others may go on');

    const later = serverOf(ids.map((id) => device(id)));
    const again = worldOf(later.client, { enrolls: 1 });
    again.env['XDG_STATE_HOME'] = join(world.home, '.local', 'state');
    assert.equal(await again.run('simulate', '--devices', '9'), 0);
    const missing = ids.filter((id) => !there.includes(id));
    assert.deepEqual(
      later.asked,
      missing.map((id) => ['claim', id]),
      'nobody who has keys is enrolled again',
    );
    assert.match(again.errText, new RegExp(`Going on with ${there.length} device`, 'u'));
  });

  it('says how far it came when an enrollment fails', async () => {
    const { client } = serverOf([]);
    const world = worldOf(client, {
      device: {
        enroll: (): never => {
          throw new Error('the disk is full');
        },
      },
    });
    assert.equal(await world.run('simulate', '--devices', '3'), 1);
    assert.match(world.errText, /0 of 3 devices are enrolled/u);
    assert.match(world.errText, /Run it again: it goes on/u);
    assert.ok(!existsSync(join(folderOf(world), 'lock')));
  });

  it('keeps the keys from others, and does not use a folder that they could read', async () => {
    const { client } = serverOf([]);
    const world = worldOf(client, { enrolls: 1 });
    await world.run('simulate', '--devices', '2');
    const folder = folderOf(world);
    chmodSync(folder, 0o750);
    assert.equal(await world.run('simulate', '--devices', '2'), 1);
    assert.match(world.errText, /E_CLI_FILE/u);
    assert.match(world.errText, /Others on this machine could read the keys/u);
  });

  it('does not run twice: two that use the same counters would be taken for replays', async () => {
    const { asked, client } = serverOf([]);
    const world = worldOf(client, { enrolls: 1 });
    await world.run('simulate', '--devices', '2');
    const lock = join(folderOf(world), 'lock');
    writeFileSync(lock, `${process.pid}\n`);
    const before = asked.length;
    assert.equal(await world.run('simulate', '--devices', '2'), 1);
    assert.match(world.errText, new RegExp(`running already \\(process ${process.pid}\\)`, 'u'));
    assert.equal(asked.length, before);
    // Of a process that is gone, it means nothing. No process has such a number.
    writeFileSync(lock, '999999999\n');
    await world.run('simulate', '--devices', '2');
    assert.ok(!existsSync(lock));
  });

  it('says so when somebody else simulates, and when all were retired begins anew', async () => {
    const elsewhere = serverOf([device('sim-4-meter-0001')]);
    const world = new FakeWorld({ client: elsewhere.client });
    assert.equal(await world.run('simulate'), 1);
    assert.match(world.errText, /E_CLI_SIMULATION/u);
    assert.match(world.errText, /holdfast simulate remove/u);

    const first = serverOf([]);
    const one = worldOf(first.client, { enrolls: 1 });
    await one.run('simulate', '--devices', '1');
    const later = serverOf([device('sim-1-thermostat-0001', { state: 'retired' })]);
    const again = worldOf(later.client, { enrolls: 1 });
    again.env['XDG_STATE_HOME'] = join(one.home, '.local', 'state');
    await again.run('simulate', '--devices', '1');
    assert.deepEqual(later.asked[0], ['import', 'sim-2-thermostat-0001']);
    const settings = readFileSync(join(folderOf(one), 'simulation.json'), 'utf8');
    assert.equal(settings, '{"version":1,"run":2}\n');
  });
});

describe('simulate remove', () => {
  const fleet = [device('sim-1-meter-0001'), device('sim-1-meter-0002', { state: 'quarantined' })];
  const others = [
    pump,
    device('sim-1-meter-0003', { group: 'north' }),
    device('sim-1-meter-0004', { state: 'retired' }),
  ];

  it('shows what would happen, and does it for whoever types the number', async () => {
    const { asked, client } = serverOf([...fleet, ...others]);
    const world = new FakeWorld({ client, isTty: true, answers: ['2'] });
    assert.equal(await world.run('simulate', 'remove'), 0);
    assert.match(world.errText, /retires 2 devices, sim-1-meter-0001 to sim-1-meter-0002/u);
    assert.match(world.errText, /2 devices that are not simulated stay as they are/u);
    const ids = fleet.map(({ id }) => id);
    const request = { act: 'retire', select: { ids }, reason: 'the simulation is over' };
    assert.deepEqual(asked[0], ['act', request]);
    assert.deepEqual(
      asked.slice(1),
      ids.map((id) => ['erase', id]),
    );
  });

  it('does nothing when it is not sure', async () => {
    for (const isTty of [true, false]) {
      const { asked, client } = serverOf(fleet);
      const world = new FakeWorld({ client, isTty, answers: ['3'] });
      assert.equal(await world.run('simulate', 'remove'), 1);
      assert.match(world.errText, /E_CLI_NOT_CONFIRMED/u);
      assert.deepEqual(asked, []);
    }
  });

  it('can leave what they have sent, and says so to programs', async () => {
    const { asked, client } = serverOf(fleet);
    const world = new FakeWorld({ client });
    const line = ['simulate', 'remove', '--yes', '--keep-readings', '--json'];
    assert.equal(await world.run(...line), 0);
    assert.deepEqual(JSON.parse(world.outText), { retired: 2, erased: 0 });
    assert.equal(asked.length, 1);
  });

  it('deletes the keys, also when the server has none of the devices any more', async () => {
    const { client } = serverOf([]);
    const world = worldOf(client, { enrolls: 1 });
    await world.run('simulate', '--devices', '1');
    const folder = folderOf(world);
    assert.equal(await world.run('simulate', 'remove', '--yes'), 0);
    assert.ok(!existsSync(folder));
    assert.match(world.outText, /The server has no simulated devices/u);
  });
});
