import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ApiError } from '@holdfast/client';
import type { ClassView, CreatedDeviceApiKey } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const DAY_MS = 86_400_000;
const key = `hfk_${'k'.repeat(43)}`;
const apiKey = { id: '0f1e2d3c4b5a6978', createdAt: '2026-11-21T03:05:06.000Z' };
const previous = {
  id: 'aa',
  createdAt: '2026-10-21T03:05:06.000Z',
  endsAt: '2026-11-28T03:05:06.000Z',
  usedAt: '2026-11-21T03:00:00.000Z',
};
const created: CreatedDeviceApiKey = { key, apiKey, previous };

function openWorld(answer: Partial<CreatedDeviceApiKey> | Error = {}) {
  const asked: unknown[] = [];
  const world = new FakeWorld({
    client: {
      createDeviceApiKey: (...args) => {
        asked.push(args);
        if (answer instanceof Error) return Promise.reject(answer);
        return Promise.resolve({ ...created, ...answer });
      },
      deviceApiKeys: () => Promise.resolve([previous, apiKey]),
      deleteDeviceApiKey: (...args) => {
        asked.push(args);
        return Promise.resolve();
      },
    },
  });
  return { world, asked, out: join(world.home, 'api.key') };
}

const create = ['device', 'api-key', 'create', 'thermostat-1'] as const;

describe('device api-key create', () => {
  it('shows the key once, and until when the one before it works', async () => {
    const { world, asked } = openWorld();
    assert.equal(await world.run(...create), 0);
    assert.deepEqual(asked, [['thermostat-1', { lifeMs: undefined, overlapMs: undefined }]]);
    assert.equal(
      world.outText,
      `The API key of thermostat-1, shown this one time:

  ${key}

It works until it is replaced or removed.
The key before it (aa) works until 2026-11-28 04:05.
`,
    );
  });

  it('writes it into a file of its own instead, in place of an older one', async () => {
    const { world, out } = openWorld({ previous: undefined });
    writeFileSync(out, 'old', { mode: 0o644 });
    assert.equal(await world.run(...create, '--out', out), 0);
    assert.equal(readFileSync(out, 'utf8'), `${key}\n`);
    assert.equal(statSync(out).mode & 0o777, 0o600);
    assert.ok(!world.outText.includes(key));
    assert.equal(await world.run(...create, '--out', out, '--json'), 0);
    assert.ok(!world.outText.includes(key));
  });

  it('asks the server nothing when the file cannot be written', async () => {
    const { world, asked } = openWorld();
    assert.equal(await world.run(...create, '--out', join(world.home, 'none', 'api.key')), 1);
    assert.match(world.errText, /E_CLI_FILE/u);
    assert.deepEqual(asked, []);
  });

  it('leaves the older file as it is when the server refuses', async () => {
    const refused = new ApiError({ code: 'E_OPERATE_NOT_FOUND', message: 'No.', fix: 'Look.' });
    const { world, out } = openWorld(refused);
    writeFileSync(out, 'old');
    assert.equal(await world.run(...create, '--out', out), 1);
    assert.equal(readFileSync(out, 'utf8'), 'old');
    assert.ok(!existsSync(`${out}.partial`));
  });

  it('takes days within their bounds', async () => {
    const { world, asked } = openWorld();
    const days = (overlap: string, life: string): Promise<number> =>
      world.run(...create, '--overlap-days', overlap, '--expires-days', life);
    assert.equal(await days('0', '1'), 0);
    assert.equal(await days('90', '3650'), 0);
    for (const [overlap, life] of [
      ['91', '1'],
      ['0', '0'],
      ['0', '3651'],
      ['-1', '1'],
    ] as const) {
      assert.equal(await days(overlap, life), 2, `${overlap} ${life}`);
    }
    assert.deepEqual(asked, [
      ['thermostat-1', { overlapMs: 0, lifeMs: DAY_MS }],
      ['thermostat-1', { overlapMs: 90 * DAY_MS, lifeMs: 3_650 * DAY_MS }],
    ]);
  });
});

describe('device api-key list and remove', () => {
  it('lists when each was made and used, and when it ends', async () => {
    const { world } = openWorld();
    assert.equal(await world.run('device', 'api-key', 'list', 'thermostat-1'), 0);
    assert.equal(
      world.outText,
      `KEY               MADE              LAST USED         ENDS
aa                2026-10-21 05:05  2026-11-21 04:00  2026-11-28 04:05
0f1e2d3c4b5a6978  2026-11-21 04:05  –                 –
`,
    );
  });

  it('removes one', async () => {
    const { world, asked } = openWorld();
    assert.equal(await world.run('device', 'api-key', 'remove', 'thermostat-1', 'aa'), 0);
    assert.deepEqual(asked, [['thermostat-1', 'aa']]);
  });
});

describe('device api-key', () => {
  it('shows its commands, and points to the one that is meant', async () => {
    const world = new FakeWorld();
    assert.equal(await world.run('device', 'api-key'), 0);
    assert.match(world.outText, /device api-key create <id>/u);
    assert.equal(await world.run('device', 'api-key', 'make', 'x'), 2);
    assert.match(world.errText, /holdfast device/u);
    assert.equal(await world.run('device', 'api-key', 'create', '--help'), 0);
    assert.match(world.outText, /--overlap-days DAYS/u);
  });
});

describe('class', () => {
  const view = (withoutApiKeyCount: number, requiresApiKey = false): ClassView => ({
    name: 'sensor',
    requiresApiKey,
    onClone: 'quarantine',
    lateHours: 168,
    renewalGraceMs: 0,
    deviceCount: 10,
    withoutApiKeyCount,
  });
  const open = (withoutApiKeyCount: number, answers: readonly string[] = []) => {
    const asked: unknown[] = [];
    const world = new FakeWorld({
      isTty: true,
      answers,
      client: {
        deviceClass: () => Promise.resolve(view(withoutApiKeyCount)),
        setDeviceClass: (name, rules) => {
          asked.push([name, rules]);
          return Promise.resolve(view(withoutApiKeyCount, rules.requiresApiKey === true));
        },
      },
    });
    return { world, asked };
  };
  const set = ['class', 'set', 'sensor', '--api-key'] as const;

  it('asks before devices are shut out, and not when none are', async () => {
    const shut = open(3, ['yes', 'sensor']);
    assert.equal(await shut.world.run(...set, 'required'), 1);
    assert.match(shut.world.errText, /3 of 10 devices of the class sensor have no API key/u);
    assert.deepEqual(shut.asked, []);
    assert.equal(await shut.world.run(...set, 'required'), 0);
    const none = open(0);
    assert.equal(await none.world.run(...set, 'required'), 0);
    assert.equal(await open(3).world.run(...set, 'required', '--yes'), 0);
    assert.equal(await open(3).world.run(...set, 'optional'), 0);
    assert.deepEqual(none.asked, [['sensor', { requiresApiKey: true }]]);
  });

  it('shows what it asks', async () => {
    const { world } = open(3);
    assert.equal(await world.run('class', 'show', 'sensor'), 0);
    assert.match(world.outText, /API key +optional\n[^]* +devices +10\n +without an API key +3\n/u);
  });

  it('knows its classes and rules', async () => {
    const { world } = open(0);
    assert.equal(await world.run('class', 'show', 'sensr'), 2);
    assert.match(world.errText, /Did you mean sensor/u);
    assert.equal(await world.run('class', 'set', 'sensor'), 2);
    assert.equal(await world.run(...set, 'maybe'), 2);
  });
});
