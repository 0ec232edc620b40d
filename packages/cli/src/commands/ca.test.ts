import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Client } from '@holdfast/client';
import type { AuthorityStatus, GenerationView } from '@holdfast/protocol/api';
import { FakeWorld, type FakeWorldOptions } from '../fake-world.ts';
import { readSecret } from '../secret-source.ts';

const member = {
  fingerprint: 'ab'.repeat(32),
  keyId: 'cd'.repeat(20),
  notAfter: '2036-11-18T00:00:00.000Z',
};

function generation(
  number: number,
  state: GenerationView['state'],
  inUse: GenerationView['inUse'] = { certificates: 0, devices: [], apps: 0 },
): GenerationView {
  const madeAt = '2026-11-21T00:00:00.000Z';
  return { number, state, madeAt, devices: member, servers: member, apps: member, inUse };
}

function status(
  next: AuthorityStatus['next'],
  generations: readonly GenerationView[],
  isKeyHere = true,
): AuthorityStatus {
  const root = { fingerprint: 'ef'.repeat(32), notAfter: '2046-11-16T00:00:00.000Z', isKeyHere };
  return { root, custody: 'data folder', generations: [...generations], next };
}

const FIRST = status('prepare', [generation(1, 'issuing')]);
const IN_USE = {
  certificates: 5,
  devices: ['a', 'b', 'c', 'd'],
  apps: 1,
  lastEndsAt: '2027-02-19T00:00:00.000Z',
};
const WAITING = status('finish', [generation(1, 'trusted', IN_USE), generation(2, 'issuing')]);

/** A world that notes which steps are taken. */
function openWorld(
  before: AuthorityStatus,
  more: Omit<FakeWorldOptions, 'client'> & { client?: Partial<Client> } = {},
): { world: FakeWorld; steps: unknown[] } {
  const steps: unknown[] = [];
  const note = (step: string) => (body?: unknown) => {
    steps.push(body === undefined ? step : [step, body]);
    return Promise.resolve(FIRST);
  };
  const client: Partial<Client> = {
    authority: () => Promise.resolve(before),
    prepareAuthority: note('prepare'),
    switchAuthority: note('switch'),
    finishRotation: note('finish'),
    ...more.client,
  };
  return { world: new FakeWorld({ ...more, client }), steps };
}

describe('ca status', () => {
  it('shows generations, what depends on them, and what comes next', async () => {
    const { world } = openWorld(WAITING);
    assert.equal(await world.run('ca', 'status'), 0);
    assert.match(
      world.outText,
      /generation 1 +issues no more, still counts .*5 certificates in use \(a, b, c, …, 1 app\)/u,
    );
    assert.match(
      world.outText,
      /generation 2 +issues +made 2026-11-21, ends 2036-11-18 +nothing in use/u,
    );
    assert.match(
      world.outText,
      /Next: wait\. 5 certificates of generation 1 still count; .* ends on 2027-02-19\./u,
    );
  });

  it('says where the root is', async () => {
    const { world } = openWorld(status('prepare', [generation(1, 'issuing')], false));
    await world.run('ca', 'status');
    assert.match(world.outText, /its key is offline/u);
    assert.match(world.outText, /with --root/u);
  });
});

describe('ca rotate', () => {
  it('does the next step after asking, and says what it does', async () => {
    const { world, steps } = openWorld(status('switch', []), { isTty: true, answers: ['switch'] });
    assert.equal(await world.run('ca', 'rotate'), 0);
    assert.deepEqual(steps, ['switch']);
    assert.match(
      world.errText,
      /A device that pins the certificate alone will not connect any more/u,
    );
  });

  it('does nothing when another word is typed', async () => {
    const { world, steps } = openWorld(FIRST, { isTty: true, answers: ['yes'] });
    assert.equal(await world.run('ca', 'rotate'), 1);
    assert.deepEqual(steps, []);
  });

  it('waits as long as devices need the old generation, unless the step is named', async () => {
    const { world, steps } = openWorld(WAITING);
    assert.equal(await world.run('ca', 'rotate'), 0);
    assert.match(world.outText, /^Next: wait/u);
    assert.deepEqual(steps, []);
    assert.equal(await world.run('ca', 'rotate', '--finish', '--force', 'leaked'), 0);
    assert.deepEqual(steps, [['finish', { force: 'leaked' }]]);
  });

  it('makes a script name its step, and takes one at a time', async () => {
    const { world, steps } = openWorld(FIRST);
    assert.equal(await world.run('ca', 'rotate'), 2);
    assert.match(world.errText, /ca rotate --prepare/u);
    assert.equal(await world.run('ca', 'rotate', '--prepare', '--switch'), 2);
    assert.deepEqual(steps, []);
    assert.equal(await world.run('ca', 'rotate', '--prepare'), 0);
    assert.deepEqual(steps, [['prepare', {}]]);
  });

  it('asks for the file of an offline root, and signs with it', async () => {
    const requests = { devices: 'd', servers: 's', apps: 'a' };
    const seen: unknown[] = [];
    const { world, steps } = openWorld(status('prepare', [generation(1, 'issuing')], false), {
      isTty: true,
      answers: ['phrase of mine'],
      client: {
        requestGeneration: () => Promise.resolve({ generation: 2, tenant: 'default', requests }),
      },
      server: {
        signWithRoot: (...args) => {
          seen.push(args);
          return { devices: 'D', servers: 'S', apps: 'A' };
        },
      },
    });
    assert.equal(await world.run('ca', 'rotate', '--prepare', '--yes'), 2);
    const root = join(world.home, 'root.pem');
    writeFileSync(root, 'ROOT');
    assert.equal(await world.run('ca', 'rotate', '--yes', '--root', root), 0);
    const request = { generation: 2, tenant: 'default', requests };
    assert.deepEqual(seen, [[{ text: 'ROOT', passphrase: 'phrase of mine' }, request]]);
    assert.deepEqual(steps, [
      ['prepare', { certificates: { devices: 'D', servers: 'S', apps: 'A' } }],
    ]);
  });
});

describe('ca export-root', () => {
  const phrase = 'correct horse battery';
  const exporting = (answers: readonly string[], prove = () => 'proof') => {
    const calls: unknown[] = [];
    const { world } = openWorld(FIRST, {
      isTty: true,
      answers,
      client: {
        exportRoot: (body) => {
          calls.push(body);
          return Promise.resolve({ rootPem: 'PEM\n', challenge: 'c' });
        },
        forgetRoot: (body) => {
          calls.push(body);
          return Promise.resolve(FIRST);
        },
      },
      server: { proveExportedRoot: prove },
    });
    return { world, calls, out: join(world.home, 'root.pem') };
  };

  it('writes the file for its owner only, proves it, and lets the server forget', async () => {
    const { world, calls, out } = exporting(['offline', phrase, phrase]);
    assert.equal(await world.run('ca', 'export-root', '--out', out), 0);
    assert.equal(readFileSync(out, 'utf8'), 'PEM\n');
    assert.equal(statSync(out).mode & 0o777, 0o600);
    assert.deepEqual(calls, [{ passphrase: phrase }, { proof: 'proof' }]);
    assert.ok(!(world.outText + world.errText).includes(phrase));
  });

  it('leaves the root on the server when anything is wrong', async () => {
    const cases: readonly (readonly [string[], (() => string)?])[] = [
      [['no']],
      [['offline', 'too short']],
      [['offline', phrase, 'another phrase']],
      [
        ['offline', phrase, phrase],
        () => {
          throw new Error('it does not open');
        },
      ],
    ];
    for (const [answers, prove] of cases) {
      const { world, calls, out } = exporting(answers, prove);
      assert.equal(await world.run('ca', 'export-root', '--out', out), 1, answers.join());
      assert.ok(!calls.some((call) => JSON.stringify(call).includes('proof')));
      assert.ok(!existsSync(out));
    }
    const { world, calls, out } = exporting(['offline', phrase, phrase]);
    writeFileSync(out, 'mine');
    assert.equal(await world.run('ca', 'export-root', '--out', out), 1);
    assert.equal(readFileSync(out, 'utf8'), 'mine', 'nothing is overwritten');
    assert.equal(calls.length, 1);
  });
});

describe('a secret', () => {
  const read = (world: FakeWorld, fd?: string, file?: string) =>
    readSecret(
      world,
      {
        what: 'PIN',
        fd: { option: 'pin-fd', value: fd },
        file: { option: 'pin-file', value: file },
      },
      'PIN: ',
    );

  it('comes from a descriptor, a private file, or the keyboard', async () => {
    const world = new FakeWorld({ isTty: true, answers: ['typed'] });
    const path = join(world.home, 'pin');
    writeFileSync(path, 'in a file\nand more\n', { mode: 0o600 });
    const fd = openSync(path, 'r');
    assert.equal(await read(world, String(fd)), 'in a file');
    closeSync(fd);
    assert.equal(await read(world, undefined, path), 'in a file');
    assert.equal(await read(world), 'typed');
  });

  it('is refused when it is open to others, empty, missing, or when nobody can be asked', async () => {
    const world = new FakeWorld();
    const path = join(world.home, 'pin');
    const failsWith = (code: string, result: Promise<string>) =>
      assert.rejects(result, (error: Error) => 'code' in error && error.code === code);
    await failsWith('E_CLI_FILE', read(world, undefined, path));
    writeFileSync(path, '\n', { mode: 0o600 });
    await failsWith('E_CLI_USAGE', read(world, undefined, path));
    chmodSync(path, 0o604);
    await failsWith('E_CLI_FILE', read(world, undefined, path));
    await failsWith('E_CLI_FILE', read(world, '999'));
    await failsWith('E_CLI_USAGE', read(world, 'nine'));
    await failsWith('E_CLI_SECRET', read(world));
  });
});
