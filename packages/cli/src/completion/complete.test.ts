import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Client } from '@holdfast/client';
import type { DeviceQuery } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const devices = ['pump-1', 'pump-2', 'valve-3'].map((id) => ({
  id,
  class: 'sensor',
  state: 'active',
  group: '',
  stateReason: '',
  stateBy: '',
  createdAt: '2026-11-21T00:00:00Z',
})) as Awaited<ReturnType<Client['devices']>>;

const queries: DeviceQuery[] = [];
const client: Partial<Client> = {
  devicePage: (query = {}) => {
    queries.push(query);
    return Promise.resolve({ devices });
  },
  deviceFacets: () => {
    const groups = [
      { value: '', devices: 7 },
      { value: 'north', devices: 2 },
    ];
    const none = { classes: [], states: [], tags: [], firmware: [], devices: 9, online: 0 };
    return Promise.resolve({ ...none, groups });
  },
};

/** What can stand where the line ends. */
async function after(line: string, world = new FakeWorld({ client })): Promise<string[]> {
  assert.equal(await world.run('__complete', '--', ...line.split(' ')), 0, line);
  assert.equal(world.errText, '', line);
  return world.outText.split('\n').flatMap((row) => row.split('\t')[0] || []);
}

describe('completion', () => {
  it('knows nouns, verbs and what comes between', async () => {
    assert.deepEqual(await after('dev'), ['device']);
    assert.deepEqual(await after('device re'), [
      'renew',
      'reset',
      'release',
      'resume',
      'revoke',
      'retire',
    ]);
    assert.deepEqual(await after('device tpm '), ['show', 'accept', 'forget']);
    assert.deepEqual(await after('help device tpm f'), ['forget']);
    assert.deepEqual(await after('help status '), []);
    assert.deepEqual(await after('frobnicate '), []);
    assert.ok((await after('')).includes('status'));
  });

  it('says what each word means', async () => {
    const world = new FakeWorld();
    await world.run('__complete', '--', 'device', 'lis');
    assert.equal(world.outText, 'list\tlist devices and their states\n');
  });

  it('knows options, each once but for those that may be repeated', async () => {
    assert.deepEqual(await after('readings x --fo'), ['--follow']);
    assert.deepEqual(await after('readings x --follow --fo'), []);
    assert.deepEqual(await after('up --host a --ho'), ['--host']);
    assert.ok((await after('status ')).includes('--watch'));
    assert.deepEqual(await after('device list --owner '), ['yes', 'no']);
    assert.deepEqual(await after('device show -- --f'), []);
  });

  it('asks the server for ids of devices, and for groups', async () => {
    assert.deepEqual(await after('device show pu'), ['pump-1', 'pump-2']);
    assert.deepEqual(queries.at(-1), { limit: 200, q: 'pu' });
    assert.deepEqual(await after('readings '), ['pump-1', 'pump-2', 'valve-3']);
    assert.deepEqual(await after('device revoke --reason lost va'), ['valve-3']);
    assert.deepEqual(await after('device list --group '), ['north']);
    assert.deepEqual(await after('device list --group = no'), ['north']);
    // The second one is no device, and a device that is to be added has no id yet.
    const [first] = await after('device show pump-1 ');
    assert.equal(first, '--watch');
    assert.ok(!(await after('device add ')).includes('pump-1'));
  });

  it('asks the server of the data folder that the line names', async () => {
    const world = new FakeWorld({ client });
    assert.deepEqual(await after('device show --data /nowhere ', world), []);
    assert.equal(world.connections.length, 0);
  });

  it('leaves files to the shell', async () => {
    assert.deepEqual(await after('device import '), [':files']);
    assert.deepEqual(await after('audit verify --data '), [':files']);
    assert.deepEqual(await after('fw submit a b '), [':files']);
  });

  it('is silent when there is no server, or it refuses, or says what is no word', async () => {
    const nobody = new FakeWorld({ hasLocalServer: false });
    assert.deepEqual(await after('device show p', nobody), []);
    const refused = { devicePage: () => Promise.reject(new Error('no')) };
    assert.deepEqual(await after('device show p', new FakeWorld({ client: refused })), []);
    const [device] = devices;
    assert.ok(device !== undefined);
    // Bash would run the first ones at the next Enter.
    const words = ['p$(reboot)', 'p`reboot`', 'p;reboot', 'p&r', 'p>f', "p'", 'p"', 'p\\', 'p*'];
    const others = ['p $(reboot)', 'p\u001B[2J', 'p\nq', 'p~', 'p!!'];
    const evil = [...words, ...others].map((id) => Object.assign({}, device, { id }));
    const lying = { devicePage: () => Promise.resolve({ devices: evil }) };
    const world = new FakeWorld({ client: lying });
    await world.run('__complete', '--', 'device', 'show', 'p');
    assert.equal(world.outText, '');
    // And it cannot smuggle an option onto the line.
    const option = { devicePage: () => Promise.resolve({ devices: [{ ...device, id: '--yes' }] }) };
    assert.deepEqual(await after('device revoke -- ', new FakeWorld({ client: option })), []);
    assert.ok(!(await after('device show ', new FakeWorld({ client: option }))).includes('--yes'));
  });
});

describe('the scripts', () => {
  it('are there for three shells', async () => {
    for (const [shell, mark] of [
      ['bash', 'complete -F'],
      ['zsh', '#compdef holdfast'],
      ['fish', 'complete -c holdfast'],
    ] as const) {
      const world = new FakeWorld({ hasLocalServer: false });
      assert.equal(await world.run('completion', shell), 0);
      assert.ok(world.outText.includes(mark));
    }
    const world = new FakeWorld({ hasLocalServer: false });
    assert.equal(await world.run('completion', 'bsh'), 2);
    assert.match(world.errText, /Did you mean bash\?/u);
  });
});
