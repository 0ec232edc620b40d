import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { declareRoutes, openApiDocument } from './api.ts';
import { codeOf, openLab } from './lab.testing.ts';

/** What anybody may call: everything else needs a credential. */
const PUBLIC = new Set([
  'GET /',
  'GET /healthz',
  'GET /openapi.json',
  'GET /readyz',
  'GET /v1/anchor',
  'POST /v1/app/session',
  'POST /v1/app/session/challenge',
  'POST /v1/pair',
  'GET /v1/sign-in/methods',
  'GET /v1/sign-in/oidc',
  'GET /v1/sign-in/oidc/callback',
  'POST /v1/sign-in',
  'POST /v1/sign-in/code',
  'POST /v1/sign-in/first',
  'POST /v1/sign-in/invitation',
  'POST /v1/sign-in/passkey',
  'POST /v1/sign-in/passkey/options',
]);

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly security: unknown;
}

function operationsOf(document: object): Operation[] {
  const { paths } = document as { paths: Record<string, Record<string, { security: unknown }>> };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path,
      security,
    })),
  );
}

test('the committed OpenAPI document is that of the code', () => {
  const path = join(import.meta.dirname, '../../openapi.json');
  const committed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const document: unknown = JSON.parse(JSON.stringify(openApiDocument()));
  assert.deepEqual(committed, document, 'run: npm run docs');
});

test('the server serves the committed document', async (t) => {
  const answer = await openLab(t).call('GET', '/openapi.json');
  assert.deepEqual(await answer.json(), JSON.parse(JSON.stringify(openApiDocument())));
});

test('each operation is on the list of public ones, or says which credentials it takes', () => {
  const operations = operationsOf(openApiDocument());
  assert.ok(operations.length > 20);
  const found = operations.filter(({ security }) => JSON.stringify(security) === '[]');
  assert.deepEqual(new Set(found.map(({ method, path }) => `${method} ${path}`)), PUBLIC);
  const closed = operations.filter((operation) => !found.includes(operation));
  const ofPeople = [{ token: [] }, { session: [] }];
  for (const { path, security } of closed) {
    const isOfApps = path.startsWith('/v1/app/');
    assert.deepEqual(security, isOfApps ? [{ certificate: [] }, { page: [] }] : ofPeople, path);
  }
});

test('each route is in the document', (t) => {
  const { app } = declareRoutes(openLab(t).deps);
  const routes = app.routes.filter(({ method }) => method !== 'ALL');
  const known = new Set(routes.map(({ method, path }) => `${method} ${path}`));
  const described = operationsOf(openApiDocument()).map(
    ({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
  );
  assert.deepEqual(known, new Set(described));
  // What is left answers every method: it may only stand on all paths, or refuse.
  const everywhere = app.routes.filter(({ method, path }) => method === 'ALL' && path === '/*');
  const refusing = app.routes.filter(({ method, path }) => method === 'ALL' && path !== '/*');
  assert.equal(everywhere.length, 4);
  assert.equal(refusing.length, new Set(routes.map(({ path }) => path)).size);
});

/**
 * Goal: nobody learns anything without a valid credential. Method: every operation that is not
 * public, with everything that is no credential; one answer, byte for byte.
 */
test('every operation refuses everybody without a credential in one way', async (t) => {
  const lab = openLab(t);
  const { call, people, localToken } = lab;
  const session = await lab.signInFirst();
  const removed = await lab.createToken(session);
  const expired = await lab.createToken(session, 60_000);
  lab.clock.advance(60_000);
  await call('DELETE', `/v1/tokens/${removed.id}`, { session });
  people.endSession(people.callerOfSession(session) ?? assert.fail('no session'));
  const garbageToken = `hf_${'A'.repeat(43)}`;
  const attempts = {
    nothing: {},
    'a garbage token': { token: garbageToken },
    'a removed token': { token: removed.token },
    'an expired token': { token: expired.token },
    'a token without its prefix': { token: localToken.slice(3) },
    'a token in another case': { token: localToken.toUpperCase() },
    'a huge token': { token: `hf_${'A'.repeat(5_000)}` },
    'two tokens': { token: `${localToken} ${localToken}` },
    'basic authentication': { headers: { authorization: 'Basic bG9jYWw6bG9jYWw=' } },
    'an empty header': { headers: { authorization: '' } },
    'a garbage cookie': { session: 'A'.repeat(43) },
    'a cookie that cannot be decoded': { session: '%E0%A4%A' },
    'the cookie of an ended session': { session },
    'a token as a cookie': { session: localToken },
    'a wrong token and the cookie of an ended session': { token: garbageToken, session },
    'another cookie': { headers: { cookie: `holdfast=${session}` } },
  };
  const operations = operationsOf(openApiDocument()).filter(
    ({ method, path }) => !PUBLIC.has(`${method} ${path}`),
  );
  const stateBefore = JSON.stringify([lab.recorded, lab.registry.all(), people.tokens()]);
  const answers = new Set<string>();
  lab.reports.length = 0;
  for (const [at, { method, path }] of operations.entries()) {
    // Each operation from another network: together they are more than one may ask in a minute.
    const address = `198.51.${at}.1`;
    for (const [name, attempt] of Object.entries(attempts)) {
      const where = `${method} ${path} with ${name}`;
      const answer = await call(method, path.replace('{id}', 'dev-1'), { ...attempt, address });
      assert.equal(answer.status, 401, where);
      assert.equal(lab.reports.at(-1)?.refusal.code, 'E_OPERATE_UNAUTHENTICATED', where);
      answers.add(JSON.stringify([[...answer.headers], await answer.text()]));
    }
  }
  assert.equal(answers.size, 1, [...answers].join('\n'));
  assert.match([...answers].join(), /www-authenticate/);
  assert.equal(lab.reports.length, operations.length * Object.keys(attempts).length);
  assert.equal(JSON.stringify([lab.recorded, lab.registry.all(), people.tokens()]), stateBefore);
  const told = JSON.stringify([lab.reports, lab.logLines]);
  for (const secret of [session, removed.token, expired.token, garbageToken]) {
    assert.ok(!told.includes(secret), 'a report or a log line shows a credential');
  }
});

test('HEAD needs the credential of GET', async (t) => {
  const { call, localToken: token } = openLab(t);
  assert.equal((await call('HEAD', '/v1/devices')).status, 401);
  const answer = await call('HEAD', '/v1/devices', { token });
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), '');
});

test('each path refuses the methods that it lacks, and says which it has', async (t) => {
  const { call, localToken: token } = openLab(t);
  const byPath = Map.groupBy(operationsOf(openApiDocument()), ({ path }) => path);
  for (const [path, operations] of byPath) {
    const has = new Set(operations.map(({ method }) => method));
    if (has.has('GET')) has.add('HEAD');
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']) {
      if (has.has(method)) continue;
      const answer = await call(method, path.replace('{id}', 'dev-1'), { token });
      assert.equal(answer.status, 405, `${method} ${path}`);
      assert.equal(answer.headers.get('allow'), [...has].sort().join(', ')); // RFC 9110 §15.5.6
      assert.equal(await codeOf(answer), 'E_OPERATE_METHOD');
    }
  }
});
