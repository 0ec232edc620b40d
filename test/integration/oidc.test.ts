/** Sign-in at an OpenID provider, of which there is a fake of the protocol here. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type InProcessServer, startInProcess } from '@holdfast/testkit';
import {
  type FakeOpenIdProvider,
  type TokenFaults,
  startOpenIdProvider,
} from './openid-provider.ts';

type Answer = Pick<IncomingMessage, 'statusCode' | 'headers'>;

interface Lab {
  readonly server: InProcessServer;
  readonly provider: FakeOpenIdProvider;
  /** What a browser does: asks, and keeps cookies by their names. */
  readonly get: (url: string, cookies?: Map<string, string>) => Promise<Answer>;
  /** Signs in as somebody of the provider; gives the cookies afterwards. */
  readonly signIn: (
    claims: Readonly<Record<string, unknown>>,
    faults?: TokenFaults,
  ) => Promise<Map<string, string>>;
}

const GRACE = { sub: 's-1', preferred_username: 'grace', groups: ['people', 'iot-operators'] };

async function openLab(t: TestContext): Promise<Lab> {
  const server = await startInProcess(t);
  const provider = await startOpenIdProvider(t);
  const { issuer, clientId, clientSecret, anchorPem } = provider;
  await server.client.setOidc({
    issuer,
    clientId,
    clientSecret,
    anchorsPem: anchorPem,
    rolesClaim: 'groups',
    roles: { 'iot-operators': 'operator', 'iot-readers': 'viewer' },
  });
  const access = readFileSync(join(server.dataDir, 'cli.json'), 'utf8');
  const { anchorPem: ca } = JSON.parse(access) as { anchorPem: string };
  const get: Lab['get'] = (url, cookies = new Map()) =>
    new Promise((resolve, reject) => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const asked = request(url, { ca, agent: false, headers: { cookie } }, (answer) => {
        answer.resume();
        for (const line of answer.headers['set-cookie'] ?? []) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
          if (value === '') cookies.delete(name);
          else cookies.set(name, value);
        }
        resolve(answer);
      });
      asked.on('error', reject).end();
    });
  const signIn: Lab['signIn'] = async (claims, faults) => {
    const cookies = new Map<string, string>();
    const begun = await get(`${server.info.api}/v1/sign-in/oidc`, cookies);
    assert.equal(begun.statusCode, 303);
    const back = await provider.authorize(begun.headers.location ?? '', claims, faults);
    const answer = await get(back, cookies);
    assert.equal(answer.statusCode, 303);
    const isIn = cookies.has('__Host-holdfast');
    assert.equal(answer.headers.location, isIn ? '/sign-in' : '/sign-in#oidc-refused');
    assert.ok(!cookies.has('__Host-holdfast-oidc'), 'what was for one attempt is kept');
    return cookies;
  };
  return { server, provider, get, signIn };
}

test('somebody of the provider gets the role that a claim maps to', async (t) => {
  const { server, provider, get, signIn } = await openLab(t);
  const cookies = await signIn(GRACE);
  assert.equal((await get(`${server.info.api}/v1/devices`, cookies)).statusCode, 200);
  assert.equal((await get(`${server.info.api}/v1/people`, cookies)).statusCode, 403);
  const [person] = await server.client.people();
  assert.deepEqual(
    [person?.name, person?.role, person?.state, person?.factors],
    ['grace', 'operator', 'active', ['oidc']],
  );
  const [session] = await server.client.sessions();
  assert.deepEqual([session?.principal, session?.by], ['person:grace', 'oidc']);
  assert.deepEqual(provider.requests, [
    'GET /.well-known/openid-configuration',
    'POST /token',
    'GET /keys',
  ]);
  // The provider is where roles come from: the next sign-in brings the present one.
  await signIn({ ...GRACE, preferred_username: 'renamed', groups: 'iot-readers' });
  const people = await server.client.people();
  assert.deepEqual(
    people.map(({ name, role }) => [name, role]),
    [['grace', 'viewer']],
  );
  assert.equal((await get(`${server.info.api}/v1/people`, cookies)).statusCode, 403);
});

const REFUSED: Readonly<Record<string, readonly [claims: object, faults?: TokenFaults]>> = {
  'without a role': [{ ...GRACE, groups: ['people'] }],
  'without a name': [{ ...GRACE, preferred_username: undefined }],
  'with a name that cannot be one': [{ ...GRACE, preferred_username: '../grace' }],
  'with the name of somebody who is here already': [{ ...GRACE, preferred_username: 'ADA' }],
  'with a token that another key signed': [GRACE, { signedByAnother: true }],
  'with a token that nobody signed': [GRACE, { algorithm: 'none' }],
  'with a token for another client': [GRACE, { claims: { aud: 'other' } }],
  'with a token of another issuer': [GRACE, { claims: { iss: 'https://evil.example' } }],
  'with a token of another sign-in': [GRACE, { claims: { nonce: 'other' } }],
  'with a token that has expired': [GRACE, { claims: { exp: 1 } }],
};

test('nobody comes in', async (t) => {
  const { server, signIn } = await openLab(t);
  await server.client.invitePerson({ name: 'ada', role: 'administrator' });
  for (const [how, [claims, faults]] of Object.entries(REFUSED)) {
    await t.test(how, async () => {
      const codes = await server.refusedDuring(async () => {
        const cookies = await signIn({ ...claims }, faults);
        assert.ok(!cookies.has('__Host-holdfast'));
      });
      assert.match(codes.join(), /^E_OPERATE_(OIDC|SIGN_IN)$/);
      assert.deepEqual(
        (await server.client.people()).map(({ name }) => name),
        ['ada'],
      );
    });
  }
});

test('a sign-in is finished by the browser that began it, and once', async (t) => {
  const { server, provider, get } = await openLab(t);
  const { api } = server.info;
  const mine = new Map<string, string>();
  const begun = await get(`${api}/v1/sign-in/oidc`, mine);
  const back = await provider.authorize(begun.headers.location ?? '', GRACE);
  const victim = new Map<string, string>();
  await get(back, victim);
  assert.ok(!victim.has('__Host-holdfast'), 'somebody was signed in as another');
  const other = new Map<string, string>();
  await get(`${api}/v1/sign-in/oidc`, other);
  await get(back, other);
  assert.ok(!other.has('__Host-holdfast'), 'the state of another attempt was taken');
  const again = new Map(mine);
  await get(back, mine);
  assert.ok(mine.has('__Host-holdfast'));
  await get(back, again);
  assert.ok(!again.has('__Host-holdfast'), 'the code was good twice');
});

test('a disabled person does not come in by the provider, and nobody without one', async (t) => {
  const { server, get, signIn } = await openLab(t);
  await signIn(GRACE);
  await server.client.disablePerson('grace');
  assert.ok(!(await signIn(GRACE)).has('__Host-holdfast'));
  const shown = JSON.stringify(await server.client.oidc());
  assert.ok(!shown.includes('secret'));
  await server.client.removeOidc();
  assert.equal((await get(`${server.info.api}/v1/sign-in/oidc`)).statusCode, 404);
});

test('no claim makes an administrator', async (t) => {
  const { server, provider } = await openLab(t);
  const { issuer, clientId, clientSecret } = provider;
  const roles = { everybody: 'administrator' } as unknown as Record<string, 'viewer'>;
  await assert.rejects(
    server.client.setOidc({ issuer, clientId, clientSecret, rolesClaim: 'groups', roles }),
    /E_OPERATE_INPUT|roles/,
  );
});

test('whoever takes the name of another at the provider is on the log as themselves', async (t) => {
  const { server, signIn } = await openLab(t);
  await server.client.invitePerson({ name: 'ada', role: 'administrator' });
  await signIn(GRACE);
  await signIn({ ...GRACE, preferred_username: 'ada' });
  const signIns = (await server.client.acts({ limit: 10 })).filter(
    ({ action }) => action === 'person.sign-in',
  );
  assert.deepEqual(
    signIns.map(({ principal }) => principal),
    ['person:grace', 'person:grace'],
  );
});
