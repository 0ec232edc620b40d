import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ApiError, type Client } from '@holdfast/client';
import type { Factors } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const PASSWORD = 'correct horse battery';
const HAS_APP = { hasPassword: true, hasTotp: true, passkeys: [], recoveryCodesLeft: 10 };
const PASSWORD_ONLY = { hasPassword: true, hasTotp: false, passkeys: [], recoveryCodesLeft: 0 };
const me = { principal: 'person:ada', role: 'operator', credential: 'session' } as const;

/** A client that lets everybody in, and keeps what it was asked. */
function openClient(factors: Factors = HAS_APP) {
  const asked: unknown[] = [];
  const signIn = (request: unknown) => {
    asked.push(request);
    return Promise.resolve({ me, session: 's3' });
  };
  const client: { -readonly [M in keyof Client]?: Client[M] } = {
    signIn,
    signInFirst: signIn,
    createToken: ({ label, scope }) => {
      asked.push(scope === undefined ? label : scope);
      return Promise.resolve({ id: '1', token: 'hf_mine', expiresAt: '2027-02-19T03:00:00.000Z' });
    },
    factors: () => Promise.resolve(factors),
    signOut: () => {
      asked.push('sign out');
      return Promise.resolve();
    },
  };
  return { asked, client };
}

const stored = (world: FakeWorld) => join(world.home, '.config', 'holdfast', 'credentials.json');

describe('login', () => {
  it('makes the first operator with the one-time code, and keeps a token for the owner', async () => {
    const { asked, client } = openClient();
    const answers = ['ABCD-EFGH ', 'ada', PASSWORD, PASSWORD];
    const world = new FakeWorld({ client, isTty: true, answers });
    assert.equal(await world.run('login'), 0, world.errText);
    const person = { code: 'ABCD-EFGH', name: 'ada', password: PASSWORD };
    assert.deepEqual(asked, [person, 'cli on desk', 'sign out']);
    assert.deepEqual(
      world.connections.map(({ token, session, anchorPem }) => ({ token, session, anchorPem })),
      [
        { token: undefined, session: undefined, anchorPem: 'PEM' },
        { token: undefined, session: 's3', anchorPem: 'PEM' },
      ],
    );
    assert.deepEqual(JSON.parse(readFileSync(stored(world), 'utf8')), {
      version: 1,
      url: 'https://localhost:8443',
      anchorPem: 'PEM',
      token: 'hf_mine',
    });
    assert.equal(statSync(stored(world)).mode & 0o777, 0o600);
    assert.equal(statSync(join(world.home, '.config', 'holdfast')).mode & 0o777, 0o700);
    assert.doesNotMatch(world.outText + world.errText, /hf_mine|horse/u);
  });

  it('says whom it talks to before it asks for anything', async () => {
    const { client } = openClient();
    const world = new FakeWorld({ client, isTty: true, answers: ['', 'ada', PASSWORD] });
    assert.equal(await world.run('login'), 0, world.errText);
    assert.equal(world.err[0], 'Signing in to https://localhost:8443\n');
    assert.deepEqual(world.err.slice(-1), ['Password: ']);
  });

  it('asks for no password on behalf of a planted cli.json', async () => {
    const world = new FakeWorld({ isTty: true });
    chmodSync(join(world.home, 'data'), 0o777);
    assert.equal(await world.run('login'), 1);
    assert.match(world.errText, /E_CLI_CREDENTIALS/u);
    assert.deepEqual(world.connections, []);
  });

  it('signs in whoever has no code, also from a pipe', async () => {
    const { asked, client } = openClient();
    const world = new FakeWorld({ client, answers: [PASSWORD, 'second line'] });
    assert.equal(await world.run('login', '--name', 'ada', '--password-stdin'), 0);
    assert.deepEqual(asked[0], { name: 'ada', password: PASSWORD });
  });

  it('does not send a new password that is too short or mistyped', async () => {
    for (const answers of [['x'.repeat(11)], ['x'.repeat(129)], [PASSWORD, `${PASSWORD}!`]]) {
      const world = new FakeWorld({ isTty: true, answers: ['C', ...answers] });
      assert.equal(await world.run('login', '--name', 'ada'), 1);
      assert.match(world.errText, /E_CLI_PASSWORD/u);
      assert.deepEqual(world.connections, []);
    }
  });

  it('asks for what is missing only on a terminal', async () => {
    const world = new FakeWorld();
    assert.equal(await world.run('login'), 2);
    assert.match(world.errText, /--password-stdin/u);
  });

  it('asks for the code of the authenticator app where there is one', async () => {
    const { asked, client } = openClient();
    const pending = { pending: 'p1', methods: ['totp', 'recovery-code'], expiresAt: '' } as const;
    client.signIn = () => Promise.resolve({ ...pending, methods: [...pending.methods] });
    client.completeSignIn = (request) => {
      asked.push(request);
      return Promise.resolve({ me, session: 's3' });
    };
    const answers = ['', 'ada', PASSWORD, ' 123456 '];
    const world = new FakeWorld({ client, isTty: true, answers });
    assert.equal(await world.run('login'), 0, world.errText);
    assert.deepEqual(asked[0], { pending: 'p1', code: '123456' });
    const piped = new FakeWorld({ client, answers: [PASSWORD, '654321'] });
    assert.equal(await piped.run('login', '--name', 'ada', '--password-stdin'), 0, piped.errText);
    assert.deepEqual(asked.at(-3), { pending: 'p1', code: '654321' });
  });

  it('makes a token with the scope that was asked for', async () => {
    const scopeOf = async (...options: string[]): Promise<unknown> => {
      const { asked, client } = openClient();
      const world = new FakeWorld({ client, isTty: true, answers: ['', 'ada', PASSWORD] });
      assert.equal(await world.run('login', ...options), 0, world.errText);
      return asked.at(-2);
    };
    assert.deepEqual(await scopeOf('--may', 'reads, device:command'), {
      actions: ['reads', 'device:command'],
    });
    assert.deepEqual(await scopeOf('--group', 'north'), { group: 'north' });
    const both = await scopeOf('--may', 'reads', '--group', 'north');
    assert.deepEqual(both, { actions: ['reads'], group: 'north' });
    assert.equal(await scopeOf(), 'cli on desk');
  });

  it('lets the first operator put the second factor off, and nobody else', async () => {
    const first = openClient(PASSWORD_ONLY);
    const answers = ['C', 'ada', PASSWORD, PASSWORD, 'n'];
    const world = new FakeWorld({ client: first.client, isTty: true, answers });
    assert.equal(await world.run('login'), 0, world.errText);

    const { client } = openClient(PASSWORD_ONLY);
    client.signIn = () =>
      Promise.resolve({ me: { ...me, needsSecondFactor: true }, session: 's3' });
    const piped = new FakeWorld({ client, answers: [PASSWORD] });
    assert.equal(await piped.run('login', '--name', 'ada', '--password-stdin'), 1);
    assert.match(piped.errText, /E_CLI_SECOND_FACTOR[^]*\/sign-in/u);
  });

  it('sets up an authenticator app, and gives a wrong code another try', async () => {
    const { asked, client } = openClient(PASSWORD_ONLY);
    client.signIn = () =>
      Promise.resolve({ me: { ...me, needsSecondFactor: true }, session: 's3' });
    const uri = 'otpauth://totp/Holdfast:ada?secret=GEZDGNBV';
    client.offerTotp = () => Promise.resolve({ secret: 'GEZDGNBV', uri, qr: '<svg/>' });
    const wrong = { code: 'E_OPERATE_SIGN_IN', message: 'wrong', fix: 'again' };
    client.confirmTotp = (code) => {
      asked.push(code);
      if (code !== '222222') return Promise.reject(new ApiError(wrong));
      return Promise.resolve({ recoveryCodes: ['AAAA-BBBB'] });
    };
    const answers = ['', 'ada', PASSWORD, '111 111', '222222'];
    const world = new FakeWorld({ client, isTty: true, answers });
    assert.equal(await world.run('login'), 0, world.errText);
    assert.deepEqual(asked, ['111111', '222222', 'cli on desk', 'sign out']);
    assert.match(world.outText, /GEZDGNBV[^]*█[^]*AAAA-BBBB/u);
  });

  it('redeems an invitation: a password, and then the app', async () => {
    const { asked, client } = openClient({ ...PASSWORD_ONLY, hasPassword: false });
    client.redeemInvitation = (code) => {
      asked.push(code);
      return Promise.resolve({ me: { ...me, needsSecondFactor: true }, session: 's3' });
    };
    client.setPassword = (password) => {
      asked.push(password);
      return Promise.resolve();
    };
    client.offerTotp = () => Promise.resolve({ secret: 'S', uri: 'otpauth://x', qr: '' });
    client.confirmTotp = () => Promise.resolve({ recoveryCodes: [] });
    const answers = [' ABCD ', PASSWORD, PASSWORD, '222222'];
    const world = new FakeWorld({ client, isTty: true, answers });
    assert.equal(await world.run('login', '--invitation'), 0, world.errText);
    assert.deepEqual(asked, ['ABCD', PASSWORD, 'cli on desk', 'sign out']);
  });

  it('never trusts an unknown server on first use', async () => {
    const world = new FakeWorld({ hasLocalServer: false });
    assert.equal(await world.run('login', '--server', 'https://iot.example.com:8443'), 1);
    assert.match(world.errText, /E_CLI_TRUST[^]*holdfast pin/u);
  });

  it('takes the trust anchor from a file, and later from the login', async () => {
    const { client } = openClient();
    const answers = ['', 'ada', PASSWORD, '', 'ada', PASSWORD];
    const world = new FakeWorld({ client, isTty: true, answers, hasLocalServer: false });
    const ca = join(world.home, 'ca.crt');
    writeFileSync(ca, 'ROOT');
    const server = ['--server', 'https://iot.example.com:8443/'];
    assert.equal(await world.run('login', ...server, '--ca', ca), 0);
    assert.equal(await world.run('login'), 0);
    assert.deepEqual(
      world.connections.map(({ url, anchorPem }) => `${url} ${anchorPem}`),
      Array.from({ length: 4 }, () => 'https://iot.example.com:8443 ROOT'),
    );
    // The anchor of one server does not vouch for another.
    assert.equal(await world.run('login', '--server', 'https://other.example.com'), 1);
  });

  it('takes only an address with TLS, and only a pin that is one', async () => {
    for (const args of [
      ['--server', 'http://localhost:8443'],
      ['--server', 'localhost:8443'],
      ['--server', 'https://localhost:8443/v1'],
      ['--server', 'https://a:b@localhost:8443'],
      ['--pin', 'abc'],
    ]) {
      const world = new FakeWorld();
      assert.equal(await world.run('login', ...args), 2, args.join(' '));
    }
  });
});
