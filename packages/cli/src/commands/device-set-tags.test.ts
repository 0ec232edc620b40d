import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Client } from '@holdfast/client';
import type { DeviceView } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const pump: DeviceView = {
  id: 'pump-1',
  class: 'actuator',
  group: 'north',
  state: 'active',
  stateReason: '',
  stateBy: 'local',
  createdAt: '2026-11-21T03:05:06.000Z',
  tags: ['cold', 'roof'],
};

function worldWith(asked: unknown[], isTty = false, answers: string[] = []): FakeWorld {
  const client: Partial<Client> = {
    device: () => Promise.resolve({ device: pump, certificates: [] }),
    devices: () => Promise.resolve([pump]),
    setDeviceTags: (id, request) => {
      asked.push([id, request]);
      return Promise.resolve({ device: { ...pump, tags: [...request.tags].sort() } });
    },
    actOnDevices: (request) => {
      asked.push(request);
      return Promise.resolve({ changed: 1, passedOver: 0, passedOverList: [] });
    },
  };
  return new FakeWorld({ client, isTty, answers });
}

describe('device set-tags', () => {
  it('replaces, adds and removes the tags of one device', async () => {
    const reason = 'tagged on the command line';
    for (const [options, tags] of [
      [
        ['--to', 'winter, roof'],
        ['winter', 'roof'],
      ],
      [['--to', ''], []],
      [
        ['--add', 'winter roof'],
        ['cold', 'winter', 'roof'],
      ],
      [['--remove', 'roof'], ['cold']],
    ] as const) {
      const asked: unknown[] = [];
      const world = worldWith(asked);
      assert.equal(await world.run('device', 'set-tags', 'pump-1', ...options), 0, world.errText);
      assert.deepEqual(asked, [['pump-1', { tags, reason }]]);
      const told = tags.length === 0 ? 'no tags' : `the tags ${[...tags].sort().join(' ')}`;
      assert.equal(world.outText, `pump-1 has ${told}.\n`);
    }
  });

  it('changes the tags of many after they were counted', async () => {
    const asked: unknown[] = [];
    const world = worldWith(asked, true, ['1']);
    assert.equal(await world.run('device', 'set-tags', '--group', 'north', '--add', 'winter'), 0);
    assert.match(world.errText, /This adds winter to 1 device of the group north/u);
    const reason = 'tagged on the command line';
    assert.deepEqual(asked, [
      { act: 'add-tags', tags: ['winter'], select: { group: 'north' }, reason },
    ]);
  });

  it('takes one of three options, and --to for one device alone', async () => {
    for (const args of [
      ['pump-1'],
      ['pump-1', '--to', 'a', '--add', 'b'],
      ['--group', 'north', '--to', 'a', '--yes'],
    ]) {
      const asked: unknown[] = [];
      assert.equal(await worldWith(asked).run('device', 'set-tags', ...args), 2);
      assert.deepEqual(asked, []);
    }
  });
});
