import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ApiError, type Client } from '@holdfast/client';
import type { PersonView } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const grace: PersonView = {
  name: 'grace',
  role: 'operator',
  state: 'invited',
  factors: [],
  createdAt: '2026-11-21T03:00:00.000Z',
  invitedUntil: '2026-11-22T03:00:00.000Z',
};
const invitation = {
  person: grace,
  code: 'AAAA-BBBB-CCCC-DDDD',
  link: 'https://localhost:8443/sign-in#invitation=AAAA-BBBB-CCCC-DDDD',
  expiresAt: '2026-11-22T03:00:00.000Z',
};
const me = { principal: 'person:ada', role: 'administrator', credential: 'token' } as const;

describe('person add', () => {
  it('prints a link and a command, once', async () => {
    const asked: unknown[] = [];
    const client: Partial<Client> = {
      invitePerson: (request) => {
        asked.push(request);
        return Promise.resolve(invitation);
      },
    };
    const world = new FakeWorld({ client });
    assert.equal(await world.run('person', 'add', 'grace', '--role', 'operator'), 0);
    assert.deepEqual(asked, [{ name: 'grace', role: 'operator' }]);
    assert.match(world.outText, /once, until 2026-11-22 04:00/u);
    assert.match(
      world.outText,
      /#invitation=AAAA[^]*AAAA-BBBB-CCCC-DDDD, for which this asks:[^]*login --invitation/u,
    );
  });

  it('helps with a role that is none', async () => {
    for (const [args, hint] of [
      [['person', 'add', 'grace'], /--role viewer/u],
      [['person', 'add', 'grace', '--role', 'operater'], /--role operator/u],
      [['person', 'role', 'grace', 'admin'], /one of viewer, operator/u],
    ] as const) {
      const world = new FakeWorld();
      assert.equal(await world.run(...args), 2);
      assert.match(world.errText, hint);
    }
  });
});

describe('an act that asks for the second factor again', () => {
  const refusal = new ApiError({ code: 'E_OPERATE_STEP_UP', message: 'm', fix: 'f', status: 403 });

  /** A client whose token is not enough, while a session is. */
  function openClient() {
    const asked: unknown[] = [];
    let attempts = 0;
    const client: Partial<Client> = {
      me: () => Promise.resolve(me),
      disablePerson: (name) => {
        attempts += 1;
        if (attempts === 1) return Promise.reject(refusal);
        asked.push(name);
        return Promise.resolve({ ...grace, state: 'disabled' });
      },
      signIn: (request) => {
        asked.push(request);
        return Promise.resolve({ pending: 'p1', methods: ['totp'], expiresAt: '' });
      },
      completeSignIn: (request) => {
        asked.push(request);
        return Promise.resolve({ me, session: 's3' });
      },
      signOut: () => {
        asked.push('sign out');
        return Promise.resolve();
      },
    };
    return { client, asked };
  }

  it('signs in for that act at a terminal', async () => {
    const { client, asked } = openClient();
    const world = new FakeWorld({ client, isTty: true, answers: ['my password', '123456'] });
    assert.equal(await world.run('person', 'disable', 'grace'), 0, world.errText);
    assert.deepEqual(asked, [
      { name: 'ada', password: 'my password' },
      { pending: 'p1', code: '123456' },
      'grace',
      'sign out',
    ]);
    assert.deepEqual(
      world.connections.map(({ token, session }) => [token !== undefined, session]),
      [
        [true, undefined],
        [true, undefined],
        [false, undefined],
        [false, 's3'],
      ],
    );
  });

  it('says so in a script', async () => {
    const { client, asked } = openClient();
    const world = new FakeWorld({ client });
    assert.equal(await world.run('person', 'disable', 'grace'), 1);
    assert.match(world.errText, /E_OPERATE_STEP_UP/u);
    assert.deepEqual(asked, []);
  });
});

describe('person list', () => {
  it('shows what everybody is and signs in with', async () => {
    const ada = { ...grace, name: 'ada', role: 'administrator', state: 'active' } as const;
    const people: PersonView[] = [{ ...ada, factors: ['password', 'totp'] }, grace];
    const { invitedUntil: _invitedUntil, ...first } = people[0] ?? grace;
    const client = { people: () => Promise.resolve([first, grace]) };
    const world = new FakeWorld({ client });
    await world.run('person', 'list');
    assert.equal(
      world.outText,
      'ada    administrator  active   password + totp\n' +
        'grace  operator       invited                   invited until 2026-11-22 04:00\n',
    );
  });
});

describe('person remove', () => {
  it('asks for the name on a terminal', async () => {
    const removed: string[] = [];
    const client: Partial<Client> = {
      removePerson: (name) => {
        removed.push(name);
        return Promise.resolve();
      },
    };
    const unsure = new FakeWorld({ client, isTty: true, answers: ['gr'] });
    assert.equal(await unsure.run('person', 'remove', 'grace'), 1);
    assert.match(unsure.errText, /E_CLI_NOT_CONFIRMED/u);
    assert.deepEqual(removed, []);
    const sure = new FakeWorld({ client, isTty: true, answers: ['grace'] });
    assert.equal(await sure.run('person', 'remove', 'grace'), 0);
    assert.deepEqual(removed, ['grace']);
  });
});

describe('session list and end', () => {
  it('asks about the own ones, or about all', async () => {
    const asked: string[] = [];
    const session = {
      id: '0123456789abcdef',
      principal: 'person:ada',
      by: 'passkey',
      address: '192.0.2.1',
      startedAt: '2026-11-21T03:00:00.000Z',
      lastUsedAt: '2026-11-21T03:00:00.000Z',
      expiresAt: '2026-11-21T03:30:00.000Z',
      isCurrent: false,
    } as const;
    const client: Partial<Client> = {
      me: () => Promise.resolve(me),
      ownSessions: () => Promise.resolve([session]),
      sessions: () => Promise.resolve([session]),
      endOwnSession: (id) => Promise.resolve(void asked.push(`own ${id}`)),
      endSession: (id) => Promise.resolve(void asked.push(`any ${id}`)),
    };
    const world = new FakeWorld({ client });
    await world.run('session', 'list');
    assert.match(world.outText, /^0123456789abcdef {2}ada {2}passkey {2}192\.0\.2\.1/u);
    await world.run('session', 'end', session.id);
    await world.run('session', 'end', session.id, '--all');
    assert.deepEqual(asked, [`own ${session.id}`, `any ${session.id}`]);
  });
});

describe('oidc set', () => {
  it('takes the secret from a file that is private', async () => {
    const asked: unknown[] = [];
    const client: Partial<Client> = {
      setOidc: (request) => {
        asked.push(request);
        const { issuer, clientId, rolesClaim, roles } = request;
        const redirectUri = 'https://localhost:8443/v1/sign-in/oidc/callback';
        const shown = { issuer, clientId, rolesClaim, roles, redirectUri };
        return Promise.resolve({ ...shown, nameClaim: 'preferred_username' });
      },
    };
    const world = new FakeWorld({ client });
    const secret = join(world.home, 'data', 'oidc.secret');
    writeFileSync(secret, 's3cret\n', { mode: 0o600 });
    const args = ['oidc', 'set', 'https://id.example.com', '--client-id', 'h'];
    const rest = ['--secret-file', secret, '--role', 'a=b=operator'];
    assert.equal(await world.run(...args, ...rest), 0, world.errText);
    assert.deepEqual(asked, [
      {
        issuer: 'https://id.example.com',
        clientId: 'h',
        clientSecret: 's3cret',
        rolesClaim: 'groups',
        roles: { 'a=b': 'operator' },
      },
    ]);
    assert.match(world.outText, /redirect URI +https:\/\/localhost:8443\/v1\/sign-in\/oidc/u);
    assert.doesNotMatch(world.outText + world.errText, /s3cret/u);
    assert.equal(await world.run(...args, '--secret-file', secret, '--role', 'x=administrator'), 2);
    chmodSync(secret, 0o644);
    assert.equal(await world.run(...args, ...rest), 1);
    assert.equal(asked.length, 1);
  });
});
