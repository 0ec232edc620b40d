import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError, type Client } from '@holdfast/client';
import { DEVICE_ACTS, type DeviceView } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const device: DeviceView = {
  id: 'pump-1',
  class: 'sensor',
  group: 'north',
  state: 'active',
  stateReason: '',
  stateBy: 'local',
  createdAt: '2026-11-21T03:05:06.000Z',
};

/** A client that knows two devices, and keeps what it is asked to do. */
function fleet(): { asked: unknown[]; client: Partial<Client> } {
  const asked: unknown[] = [];
  return {
    asked,
    client: {
      device: () => Promise.resolve({ device, certificates: [] }),
      devices: (filter) => {
        asked.push(filter);
        return Promise.resolve([device, { ...device, id: 'pump-2', state: 'claimed' }]);
      },
      actOnDevice: (...request) => {
        asked.push(request);
        return Promise.resolve({ device: { ...device, state: 'suspended' } });
      },
      setDeviceGroup: (...request) => {
        asked.push(request);
        return Promise.resolve({ device });
      },
      actOnDevices: (request) => {
        asked.push(request);
        const passedOverList = [{ id: 'pump-2', why: 'pump-2 is claimed.' }];
        return Promise.resolve({ changed: 1, passedOver: 1, passedOverList });
      },
    },
  };
}

describe('device quarantine, release, suspend, resume, revoke and retire', () => {
  it('act on one device without asking in a script', async () => {
    for (const act of DEVICE_ACTS) {
      const { asked, client } = fleet();
      const world = new FakeWorld({ client });
      assert.equal(await world.run('device', act, 'pump-1', '--reason', 'a leak'), 0);
      assert.deepEqual(asked, [['pump-1', act, 'a leak']]);
      assert.match(world.outText, /^pump-1 is /u);
    }
  });

  it('say what has become of it', async () => {
    const { client } = fleet();
    const world = new FakeWorld({ client });
    await world.run('device', 'release', 'pump-1');
    assert.equal(world.outText, 'pump-1 is released: it is suspended again.\n');
    const json = new FakeWorld({ client });
    await json.run('device', 'release', 'pump-1', '--json');
    assert.deepEqual(JSON.parse(json.outText), { device: { ...device, state: 'suspended' } });
  });

  it('give a reason of their own when there is none', async () => {
    const { asked, client } = fleet();
    await new FakeWorld({ client }).run('device', 'quarantine', 'pump-1');
    assert.deepEqual(asked, [['pump-1', 'quarantine', 'quarantined on the command line']]);
  });

  it('end the access on a terminal only when the id is typed, or with --yes', async () => {
    for (const act of ['revoke', 'retire']) {
      for (const [answers, args, code] of [
        [['pump-1'], [], 0],
        [['yes'], [], 1],
        [[''], [], 1],
        [[], ['--yes'], 0],
      ] as const) {
        const { asked, client } = fleet();
        const world = new FakeWorld({ client, isTty: true, answers });
        assert.equal(await world.run('device', act, 'pump-1', ...args), code);
        assert.equal(asked.length, code === 0 ? 1 : 0);
      }
    }
    const { asked, client } = fleet();
    const world = new FakeWorld({ client, isTty: true });
    assert.equal(await world.run('device', 'suspend', 'pump-1'), 0, 'what can be undone');
    assert.equal(asked.length, 1);
  });

  it('take exactly one of id, --group and --class', async () => {
    for (const args of [
      [],
      ['pump-1', '--group', 'north'],
      ['--group', 'north', '--class', 'sensor'],
      ['--class', 'sensro'],
    ]) {
      const { asked, client } = fleet();
      const world = new FakeWorld({ client });
      assert.equal(await world.run('device', 'revoke', '--yes', ...args), 2, args.join(' '));
      assert.deepEqual(asked, []);
    }
  });
});

describe('an act on many devices', () => {
  const request = { act: 'suspend', select: { group: 'north' }, reason: 'winter' };
  const args = ['device', 'suspend', '--group', 'north', '--reason', 'winter'];

  it('shows how many, and goes on when that number is typed', async () => {
    const { asked, client } = fleet();
    const world = new FakeWorld({ client, isTty: true, answers: ['2'] });
    assert.equal(await world.run(...args), 0);
    assert.deepEqual(asked, [{ group: 'north' }, request]);
    assert.match(
      world.errText,
      /This suspends 2 devices of the group north \(1 active, 1 claimed\)\./u,
    );
    assert.equal(
      world.outText,
      '1 device is suspended.\n1 device stayed as before:\n  pump-2 is claimed.\n',
    );
  });

  it('does nothing for another answer, or in a script without --yes', async () => {
    for (const options of [{ isTty: true, answers: ['y'] }, { isTty: false }]) {
      const { asked, client } = fleet();
      const world = new FakeWorld({ client, ...options });
      assert.equal(await world.run(...args), 1);
      assert.match(world.errText, /E_CLI_NOT_CONFIRMED/u);
      assert.deepEqual(asked, [{ group: 'north' }]);
    }
  });

  it('shows how many with --yes, too, and prints JSON', async () => {
    const { asked, client } = fleet();
    const world = new FakeWorld({ client });
    const byClass = ['device', 'revoke', '--class', 'sensor', '--yes', '--json'];
    assert.equal(await world.run(...byClass), 0);
    assert.deepEqual(asked, [
      { class: 'sensor' },
      { act: 'revoke', select: { class: 'sensor' }, reason: 'revoked on the command line' },
    ]);
    assert.match(world.errText, /This revokes 2 devices of the class sensor/u);
    assert.match(world.outText, /^\{"changed":1,/u);
  });

  it('asks for the second factor where the server does', async () => {
    const asksForStepUp = new ApiError({
      code: 'E_OPERATE_STEP_UP',
      message: 'It needs your second factor.',
      fix: 'Sign in again.',
      status: 403,
    });
    const { client } = fleet();
    const refusing = { ...client, actOnDevices: () => Promise.reject(asksForStepUp) };
    const world = new FakeWorld({ client: refusing });
    assert.equal(await world.run(...args, '--yes'), 1);
    assert.match(world.errText, /E_OPERATE_STEP_UP/u);
  });
});

describe('device set-group', () => {
  it('moves one device, into a group or into none', async () => {
    const { asked, client } = fleet();
    const world = new FakeWorld({ client });
    assert.equal(await world.run('device', 'set-group', 'pump-1', '--to', 'south'), 0);
    assert.equal(await world.run('device', 'set-group', 'pump-1', '--to', ''), 0);
    const reason = 'moved on the command line';
    assert.deepEqual(asked, [
      ['pump-1', { group: 'south', reason }],
      ['pump-1', { group: '', reason }],
    ]);
    assert.equal(world.outText, 'pump-1 is in the group south.\npump-1 is in no group.\n');
  });

  it('moves many, and says where to', async () => {
    const { asked, client } = fleet();
    const world = new FakeWorld({ client });
    const many = ['device', 'set-group', '--group', 'north', '--to', 'south', '--yes'];
    assert.equal(await world.run(...many), 0);
    assert.match(world.errText, /This puts 2 devices of the group north into the group south/u);
    const { select, group } = asked[1] as { select: unknown; group: unknown };
    assert.deepEqual([select, group], [{ group: 'north' }, 'south']);
  });

  it('needs --to', async () => {
    const world = new FakeWorld();
    assert.equal(await world.run('device', 'set-group', 'pump-1'), 2);
  });
});

describe('device list', () => {
  it('passes its filters on, and refuses what there is not', async () => {
    const { asked, client } = fleet();
    const world = new FakeWorld({ client });
    const filters = ['--state', 'active', '--class', 'sensor', '--group', ''];
    assert.equal(await world.run('device', 'list', ...filters), 0);
    assert.deepEqual(asked, [{ state: 'active', class: 'sensor', group: '' }]);
    for (const wrong of [
      ['--state', 'activ'],
      ['--class', 'sensr'],
    ]) {
      assert.equal(await new FakeWorld().run('device', 'list', ...wrong), 2);
    }
  });

  it('says that a filter found nothing', async () => {
    const world = new FakeWorld({ client: { devices: () => Promise.resolve([]) } });
    assert.equal(await world.run('device', 'list', '--group', 'north'), 0);
    assert.match(world.errText, /no such device/u);
    assert.equal(world.outText, '');
  });
});

describe('device add --group', () => {
  it('names the group', async () => {
    const asked: unknown[] = [];
    const addDevice = (request: unknown) => {
      asked.push(request);
      return Promise.reject(new Error('enough'));
    };
    const world = new FakeWorld({ client: { addDevice } });
    await world.run('device', 'add', 'pump-1', '--class', 'sensor', '--group', 'north');
    assert.deepEqual(asked, [{ id: 'pump-1', class: 'sensor', group: 'north' }]);
  });
});
