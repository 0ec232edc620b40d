import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Lab, type LabRequest, ORIGIN, codeOf, openLab } from './lab.testing.ts';

const addition = (id: string): LabRequest => ({ body: { id, class: 'sensor' } });

/** Whether a session may add a device with these headers. */
async function isAdded(
  lab: Lab,
  session: string,
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  const id = `dev-${lab.registry.all().length}`;
  const answer = await lab.call('POST', '/v1/devices', { session, headers, ...addition(id) });
  const isThere = lab.registry.byId(id) !== undefined;
  assert.equal(answer.status, isThere ? 201 : 401, JSON.stringify(headers));
  return isThere;
}

test('a request that another site sends with the cookie is refused', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const forged: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { origin: 'https://evil.example' },
    { origin: 'https://server.example' },
    { origin: 'http://server.example:8443' },
    { origin: 'https://server.example:9443' },
    { origin: 'null' },
    { origin: ORIGIN, 'sec-fetch-site': 'cross-site' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
    { 'content-type': '' },
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'text/plain; application/json' },
    { 'content-type': 'application/jsonp' },
  ];
  for (const headers of forged) {
    assert.equal(await isAdded(lab, session, headers), false);
    const report = lab.reports.at(-1);
    assert.equal(report?.refusal.code, 'E_OPERATE_CROSS_SITE', JSON.stringify(headers));
    assert.equal(report?.principal, 'person:ada');
  }
});

test('the answer to a forged request does not tell that there is a session', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const headers = { origin: 'https://evil.example' };
  const forged = await lab.call('POST', '/v1/sign-out', { session, headers });
  const unknown = await lab.call('POST', '/v1/sign-out', { session: 'x', headers });
  assert.equal(await forged.text(), await unknown.text());
  assert.deepEqual([...forged.headers], [...unknown.headers]);
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 200);
});

test('the own page and programs may act with the cookie', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const own: Record<string, string>[] = [
    {},
    { 'sec-fetch-site': 'same-origin' },
    { origin: ORIGIN },
    { origin: ORIGIN, 'sec-fetch-site': 'same-origin' },
    { 'content-type': 'application/json; charset=utf-8' },
    { 'content-type': 'Application/JSON' },
  ];
  for (const headers of own) assert.equal(await isAdded(lab, session, headers), true);
});

test('reading takes no proof of origin, and removing takes that of the browser', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const { id } = await lab.createToken(session);
  const foreign = { session, headers: { 'sec-fetch-site': 'cross-site' } };
  assert.equal((await lab.call('GET', '/v1/me', foreign)).status, 200);
  assert.equal((await lab.call('DELETE', `/v1/tokens/${id}`, foreign)).status, 401);
  assert.equal(lab.people.tokens().length, 1);
});

test('a token is no cookie: no site can send it, so any origin may', async (t) => {
  const { call, localToken: token } = openLab(t);
  const headers = { origin: 'https://tool.example', 'sec-fetch-site': 'cross-site' };
  const answer = await call('POST', '/v1/devices', { token, headers, ...addition('dev-1') });
  assert.equal(answer.status, 201);
});

test('the header counts where both credentials are sent', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const both = { session, token: `hf_${'A'.repeat(43)}` };
  assert.equal((await lab.call('GET', '/v1/me', both)).status, 401);
  const answer = await lab.call('GET', '/v1/me', { session, token: lab.localToken });
  assert.match(await answer.text(), /"local"/);
});

test('the name of the scheme is in any case [RFC 9110 §11.1]', async (t) => {
  const { call, localToken } = openLab(t);
  const headers = { authorization: `bearer ${localToken}` };
  assert.equal((await call('GET', '/v1/me', { headers })).status, 200);
});

test('only a session makes tokens and signs out', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const { token } = await lab.createToken(session);
  for (const other of [token, lab.localToken]) {
    const wish = { token: other, body: { label: 'another' } };
    const answer = await lab.call('POST', '/v1/tokens', wish);
    assert.equal(answer.status, 403);
    assert.equal(await codeOf(answer), 'E_OPERATE_FORBIDDEN');
    assert.equal((await lab.call('POST', '/v1/sign-out', { token: other })).status, 403);
  }
  assert.equal(lab.people.tokens().length, 1);
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 200);
});

test('a token stands nowhere in the clear, not even in the store', async (t) => {
  const lab = openLab(t);
  const { id, token } = await lab.createToken(await lab.signInFirst());
  const list = await lab.call('GET', '/v1/tokens', { token });
  const shown = await list.text();
  assert.ok(shown.includes(id) && !shown.includes(token.slice(3)));
  const files = ['', '-wal'].map((end) => readFileSync(lab.storePath + end).toString('latin1'));
  assert.ok(!files.join('').includes(token.slice(3)));
  assert.ok(!JSON.stringify([lab.recorded, lab.reports, lab.logLines]).includes(token.slice(3)));
});

test('a token lives a minute to a year, 90 days by default, and not a millisecond more', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const year = 31_536_000_000;
  for (const lifeMs of [59_999, year + 1, 60_000.5, '60000', null, Infinity]) {
    const wish = { session, body: { label: 'lab', lifeMs } };
    assert.equal((await lab.call('POST', '/v1/tokens', wish)).status, 400, String(lifeMs));
  }
  const wish = { session, body: { label: 'lab' } };
  const usual = (await (await lab.call('POST', '/v1/tokens', wish)).json()) as object;
  assert.ok('expiresAt' in usual && usual.expiresAt === '2027-02-19T00:00:00.000Z');
  await lab.createToken(session, year);
  const { token } = await lab.createToken(session, 60_000);
  lab.clock.advance(59_999);
  assert.equal((await lab.call('GET', '/v1/me', { token })).status, 200);
  lab.clock.advance(1);
  assert.equal((await lab.call('GET', '/v1/me', { token })).status, 401);
  assert.equal(lab.people.tokens().length, 2);
});

test('wrong tokens keep nobody from signing in', async (t) => {
  const lab = openLab(t);
  await lab.signInFirst();
  for (let i = 0; i < 30; i++) {
    assert.equal((await lab.call('GET', '/v1/me', { token: `hf_${i}` })).status, 401);
  }
  const body = { name: 'ada', password: 'wrong' };
  assert.equal((await lab.call('POST', '/v1/sign-in', { body })).status, 401);
});
