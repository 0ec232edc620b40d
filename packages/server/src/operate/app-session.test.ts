/** Goal: an owner's page gets in by the key of its certificate, and by nothing else. */
import assert from 'node:assert/strict';
import { type KeyObject, createHash, generateKeyPairSync, sign } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { formatAppProof, parseAppId, parseDeviceId, parseTenantName } from '@holdfast/protocol';
import { APP_CHALLENGE_LIFE_MS, APP_SESSION_COOKIE } from '@holdfast/protocol/api';
import { certificatePem } from '../pki/index.ts';
import { appPrincipal } from '../registry/index.ts';
import { APP_SESSIONS_OF_APP_MAX, APP_SESSION_LIFE_MS } from '../session/index.ts';
import {
  type Lab,
  type LabRequest,
  ORIGIN,
  StreamReader,
  codeOf,
  openLab,
  present,
} from './lab.testing.ts';
import {
  APP_PROOFS_PER_MINUTE_MAX,
  APP_PROOF_FRESH_MS,
  APP_STREAMS_OF_OWNER_MAX,
  STREAM_HEARTBEAT_MS,
} from './limits.ts';

const DAY_MS = 86_400_000;
const CERTIFICATE_LIFE_MS = 7 * DAY_MS;

interface TestApp {
  readonly id: string;
  readonly ownerId: string;
  readonly key: KeyObject;
  readonly pem: string;
}

function newKey(): { key: KeyObject; spki: Buffer } {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { key, spki: publicKey.export({ format: 'der', type: 'spki' }) };
}

function issue(lab: Lab, appId: string, spki: Buffer) {
  const issued = lab.deps.authority.authority.issueApp({
    spki,
    tenant: present(parseTenantName('default')),
    appId: present(parseAppId(appId)),
    lifeMs: CERTIFICATE_LIFE_MS,
  });
  const { fingerprint, notAfterMs, issuerKeyId, der } = issued;
  const spkiHash = createHash('sha256').update(spki).digest('hex');
  return {
    certificate: { fingerprint, notAfterMs, issuerKeyId, spkiHash },
    pem: certificatePem(der),
  };
}

/** An app of a new owner, who has one device. */
function addApp(lab: Lab, deviceId: string): TestApp {
  const { owners, registry } = lab.deps;
  present(registry.add({ id: deviceId, class: 'gateway' }));
  const ownerId = owners.newOwnerId();
  const id = owners.newAppId(ownerId);
  const { key, spki } = newKey();
  const { certificate, pem } = issue(lab, id, spki);
  const used = {
    spkiHash: certificate.spkiHash,
    atMs: lab.clock.ms,
    appId: id,
    certificatePem: pem,
  };
  const code = owners.makeCode(deviceId).record;
  owners.addApp({ ownerId, appId: id, certificate, used, code });
  return { id, ownerId, key, pem };
}

async function challengeOf(lab: Lab): Promise<string> {
  const answer = await lab.call('POST', '/v1/app/session/challenge');
  assert.equal(answer.status, 200);
  return ((await answer.json()) as { challenge: string }).challenge;
}

interface ProofParts {
  readonly origin?: string;
  readonly certificate?: string;
  readonly challenge?: string;
  readonly key?: KeyObject;
  readonly prefix?: string;
  readonly dsaEncoding?: 'der' | 'ieee-p1363';
}

/** The body of a proof, right but for what is given. */
async function proofOf(lab: Lab, app: TestApp, parts: ProofParts = {}) {
  const { origin = ORIGIN, key = app.key, prefix = '', dsaEncoding = 'ieee-p1363' } = parts;
  const challenge = parts.challenge ?? (await challengeOf(lab));
  const der = Buffer.from(app.pem.replaceAll(/-----[^-]+-----/gu, ''), 'base64');
  const certificate = parts.certificate ?? createHash('sha256').update(der).digest('hex');
  const text = prefix + formatAppProof({ origin, challenge, certificate });
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding });
  return { challenge, certificate: app.pem, signature: signature.toString('base64url') };
}

function start(lab: Lab, body: unknown, request: LabRequest = {}): Promise<Response> {
  return lab.call('POST', '/v1/app/session', { body, ...request });
}

function cookieOf(answer: Response): string {
  const header = answer.headers.get('set-cookie') ?? '';
  const value = new RegExp(`^${APP_SESSION_COOKIE}=([^;]+);`, 'u').exec(header)?.[1];
  return value ?? assert.fail(`no cookie: ${answer.status}`);
}

async function signIn(lab: Lab, app: TestApp): Promise<string> {
  const answer = await start(lab, await proofOf(lab, app));
  assert.equal(answer.status, 201);
  return cookieOf(answer);
}

function withCookie(cookie: string, headers: Record<string, string> = {}): LabRequest {
  return { headers: { cookie: `${APP_SESSION_COOKIE}=${cookie}`, ...headers } };
}

async function devicesOf(lab: Lab, cookie: string): Promise<number> {
  return (await lab.call('GET', '/v1/app/devices', withCookie(cookie))).status;
}

function openWithApp(t: TestContext): { lab: Lab; app: TestApp } {
  const lab = openLab(t);
  return { lab, app: addApp(lab, 'pump-1') };
}

test('a page proves that it holds its key, and acts as its app until the session ends', async (t) => {
  const { lab, app } = openWithApp(t);
  const answer = await start(lab, await proofOf(lab, app));
  assert.equal(answer.status, 201);
  assert.deepEqual(await answer.json(), {
    app: app.id,
    expiresAt: new Date(lab.clock.ms + APP_SESSION_LIFE_MS).toISOString(),
    notAfter: new Date(lab.deps.owners.app(app.id)?.certificate.notAfterMs ?? 0).toISOString(),
  });
  const header = answer.headers.get('set-cookie') ?? '';
  for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/', 'Max-Age=3600']) {
    assert.ok(header.includes(attribute), `${attribute}: ${header}`);
  }
  assert.ok(!header.includes('Domain'), header);
  const cookie = cookieOf(answer);
  const list = await lab.call('GET', '/v1/app/devices', withCookie(cookie));
  assert.match(await list.text(), /"id":"pump-1"/u);
  lab.clock.advance(APP_SESSION_LIFE_MS - 1);
  assert.equal(await devicesOf(lab, cookie), 200);
  lab.clock.advance(1);
  assert.equal(await devicesOf(lab, cookie), 401);
});

test('whatever is wrong with a proof, the answer is the same, and it is reported', async (t) => {
  const { lab, app } = openWithApp(t);
  const stranger = addApp(openLab(t), 'pump-9');
  const other = addApp(lab, 'pump-2');
  const device = { ...app, ...deviceCertificate(lab) };
  const used = await proofOf(lab, app);
  assert.equal((await start(lab, used)).status, 201);
  const late = await proofOf(lab, app);
  lab.clock.advance(APP_CHALLENGE_LIFE_MS);
  const wrong: Record<string, object> = {
    'a challenge that was answered before': used,
    'a challenge that is a minute old': late,
    'a challenge of nobody': await proofOf(lab, app, { challenge: 'A'.repeat(75) }),
    'a changed challenge': await changedChallenge(lab, app),
    'the key of somebody else': await proofOf(lab, app, { key: other.key }),
    'the origin of somebody else': await proofOf(lab, app, { origin: 'https://evil.example' }),
    'another certificate in the text': await proofOf(lab, app, { certificate: '00'.repeat(32) }),
    'another text': await proofOf(lab, app, { prefix: 'x' }),
    'a certificate of another server': await proofOf(lab, stranger),
    'a certificate of a device': await proofOf(lab, device),
    'no certificate': { ...(await proofOf(lab, app)), certificate: 'x' },
    'the anchor': {
      ...(await proofOf(lab, app)),
      certificate: lab.deps.authority.authority.anchorPem,
    },
  };
  const bodies = new Set<string>();
  for (const [what, body] of Object.entries(wrong)) {
    lab.reports.length = 0;
    const answer = await start(lab, body);
    assert.equal(answer.status, 401, what);
    assert.equal(answer.headers.get('set-cookie'), null, what);
    bodies.add(await answer.text());
    assert.equal(lab.reports[0]?.refusal.code, 'E_OPERATE_UNAUTHENTICATED', what);
  }
  assert.equal(bodies.size, 1, [...bodies].join('\n'));
});

async function changedChallenge(lab: Lab, app: TestApp) {
  const bytes = Buffer.from(await challengeOf(lab), 'base64url');
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return proofOf(lab, app, { challenge: bytes.toString('base64url') });
}

/** A good certificate of a device, with its key. */
function deviceCertificate(lab: Lab): Pick<TestApp, 'key' | 'pem'> {
  const { key, spki } = newKey();
  const { der } = lab.deps.authority.authority.issueDevice({
    spki,
    tenant: present(parseTenantName('default')),
    deviceId: present(parseDeviceId('pump-1')),
    lifeMs: DAY_MS,
  });
  return { key, pem: certificatePem(der) };
}

test('a signature in another form, or with no form at all, is no proof', async (t) => {
  const { lab, app } = openWithApp(t);
  const der = await proofOf(lab, app, { dsaEncoding: 'der' });
  for (const signature of [der.signature, '', 'A'.repeat(85), 'A'.repeat(87), '='.repeat(86)]) {
    const answer = await start(lab, { ...der, signature });
    assert.equal(answer.status, 400, signature);
  }
  const zeros = await start(lab, { ...der, signature: 'A'.repeat(86) });
  assert.equal(zeros.status, 401);
});

test('a proof for another name of the server is good, and for a name of nobody not', async (t) => {
  const { lab, app } = openWithApp(t);
  const origin = 'https://evil.example:8443';
  const body = JSON.stringify(await proofOf(lab, app, { origin }));
  const headers = { 'content-type': 'application/json' };
  const request = new Request(`${origin}/v1/app/session`, { method: 'POST', headers, body });
  const env = { incoming: { socket: { remoteAddress: '192.0.2.1' } } };
  const answer = await lab.api.fetch(request, env as never);
  assert.equal(answer.status, 401);
});

test('a session of another site is not begun: nobody is made to act as somebody else', async (t) => {
  const { lab, app } = openWithApp(t);
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://server.example' },
    { 'content-type': 'text/plain' },
  ]) {
    const answer = await start(lab, await proofOf(lab, app), { headers });
    assert.equal(answer.headers.get('set-cookie'), null, JSON.stringify(headers));
    assert.ok(answer.status >= 400, JSON.stringify(headers));
  }
  const headers = { 'sec-fetch-site': 'same-origin', origin: ORIGIN };
  assert.equal((await start(lab, await proofOf(lab, app), { headers })).status, 201);
});

test('with the cookie of a page, another site changes nothing', async (t) => {
  const { lab, app } = openWithApp(t);
  const cookie = await signIn(lab, app);
  const path = '/v1/app/devices/pump-1/commands';
  const body = { name: 'start', body: {} };
  for (const headers of [
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://server.example:9443' },
    { 'content-type': 'text/plain' },
  ]) {
    const answer = await lab.call('POST', path, { body, ...withCookie(cookie, headers) });
    assert.equal(answer.status, 401, JSON.stringify(headers));
    assert.equal(await codeOf(answer), 'E_OPERATE_UNAUTHENTICATED');
    const { refusal, principal } = lab.reports.at(-1) ?? assert.fail();
    assert.deepEqual([refusal.code, principal], ['E_OPERATE_CROSS_SITE', appPrincipal(app.id)]);
  }
  const sent = await lab.call('POST', path, { body, ...withCookie(cookie) });
  assert.equal(sent.status, 202);
});

test('the cookie of a page opens nothing of people, and theirs nothing of apps', async (t) => {
  const { lab, app } = openWithApp(t);
  const cookie = await signIn(lab, app);
  const session = await lab.signInFirst();
  for (const path of ['/v1/devices', '/v1/me', '/v1/devices/pump-1', '/v1/refusals']) {
    assert.equal((await lab.call('GET', path, withCookie(cookie))).status, 401, path);
    const asPerson = await lab.call('GET', path, { session: cookie });
    assert.equal(asPerson.status, 401, path);
  }
  assert.equal((await lab.call('GET', '/v1/app/devices', { session })).status, 401);
  assert.equal(await devicesOf(lab, session), 401);
  const asToken = { token: lab.localToken };
  assert.equal((await lab.call('GET', '/v1/app/devices', asToken)).status, 401);
  // Both in one browser: each door looks at its own.
  const both = { cookie: `__Host-holdfast=${session}; ${APP_SESSION_COOKIE}=${cookie}` };
  assert.equal((await lab.call('GET', '/v1/app/devices', { headers: both })).status, 200);
  assert.equal((await lab.call('GET', '/v1/me', { headers: both })).status, 200);
});

test('what outlives the session asks for a fresh proof: a stolen cookie is no foothold', async (t) => {
  const { lab, app } = openWithApp(t);
  const lasting = [
    ['POST', '/v1/app/invitations'],
    ['POST', '/v1/app/renew', { csr: 'x' }],
    ['POST', '/v1/app/devices', { of: 'pump-9', code: 'x' }],
    ['DELETE', `/v1/app/apps/${app.id}`],
    ['POST', '/v1/app/devices/pump-1/release'],
  ] as const;
  const cookie = await signIn(lab, app);
  lab.clock.advance(APP_PROOF_FRESH_MS - 1);
  const fresh = await lab.call('POST', '/v1/app/invitations', withCookie(cookie));
  assert.equal(fresh.status, 201);
  lab.clock.advance(1);
  for (const [method, path, body] of lasting) {
    const answer = await lab.call(method, path, { body, ...withCookie(cookie) });
    assert.equal(answer.status, 401, path);
    assert.match(lab.reports.at(-1)?.refusal.detail ?? '', /fresh proof/u);
  }
  // Nothing was done; and what is not for long needs no more than the session.
  assert.equal(lab.deps.owners.ownerOf('pump-1'), app.ownerId);
  assert.equal((await lab.call('GET', '/v1/app/apps', withCookie(cookie))).status, 200);
  const command = { body: { name: 'start', body: {} }, ...withCookie(cookie) };
  const sent = await lab.call('POST', '/v1/app/devices/pump-1/commands', command);
  assert.equal(sent.status, 202);
  const again = await signIn(lab, app);
  const given = await lab.call('POST', '/v1/app/devices/pump-1/release', withCookie(again));
  assert.equal(given.status, 204);
});

test('an unknown cookie is nobody', async (t) => {
  const { lab, app } = openWithApp(t);
  const cookie = await signIn(lab, app);
  assert.equal(await devicesOf(lab, `${cookie}x`), 401);
  assert.equal(await devicesOf(lab, ''), 401);
});

test('each session has an id of its own, and the one that the browser had is over', async (t) => {
  const { lab, app } = openWithApp(t);
  const first = await signIn(lab, app);
  const again = await start(lab, await proofOf(lab, app), withCookie(first));
  const second = cookieOf(again);
  assert.notEqual(second, first);
  assert.deepEqual([await devicesOf(lab, first), await devicesOf(lab, second)], [401, 200]);
  // An id that somebody else has chosen begins nothing.
  const fixed = 'A'.repeat(43);
  const third = cookieOf(await start(lab, await proofOf(lab, app), withCookie(fixed)));
  assert.notEqual(third, fixed);
  assert.equal(await devicesOf(lab, fixed), 401);
});

test('a session ends at once with the app, with what its owner loses, and by a renewal', async (t) => {
  const { lab, app } = openWithApp(t);
  const { owners } = lab.deps;
  const neighbour = await signIn(lab, addApp(lab, 'pump-2'));

  const beforeRelease = await signIn(lab, app);
  owners.release('pump-1');
  assert.equal(await devicesOf(lab, beforeRelease), 401, 'a stolen cookie is worth nothing');
  const afterRelease = await signIn(lab, app);
  const list = await lab.call('GET', '/v1/app/devices', withCookie(afterRelease));
  assert.deepEqual(await list.json(), { devices: [] });

  const record = owners.app(app.id) ?? assert.fail();
  const { key, spki } = newKey();
  const renewed = issue(lab, app.id, spki);
  owners.renew(record, { ...renewed.certificate, certificatePem: renewed.pem });
  assert.equal(await devicesOf(lab, afterRelease), 200, 'it counts until the new one is used');
  const byNew = await signIn(lab, { ...app, key, pem: renewed.pem });
  assert.equal(await devicesOf(lab, afterRelease), 401);
  assert.equal((await start(lab, await proofOf(lab, app))).status, 401, 'superseded');

  owners.removeApp(app.id);
  assert.equal(await devicesOf(lab, byNew), 401);
  assert.equal(
    (await start(lab, await proofOf(lab, { ...app, key, pem: renewed.pem }))).status,
    401,
  );
  assert.equal(await devicesOf(lab, neighbour), 200, 'nobody else noticed');
});

test('a proof without the key does not use a renewed certificate', async (t) => {
  const { lab, app } = openWithApp(t);
  const { owners } = lab.deps;
  const renewed = issue(lab, app.id, newKey().spki);
  owners.renew(owners.app(app.id) ?? assert.fail(), {
    ...renewed.certificate,
    certificatePem: renewed.pem,
  });
  // Certificates are public: whoever has seen it must not end the one in use.
  const stolen = { ...app, pem: renewed.pem };
  assert.equal((await start(lab, await proofOf(lab, stolen))).status, 401);
  assert.ok(owners.app(app.id)?.pending !== undefined);
  await signIn(lab, app);
});

test('a session ends with its certificate', async (t) => {
  const { lab, app } = openWithApp(t);
  lab.clock.advance(CERTIFICATE_LIFE_MS - 60_000);
  const cookie = await signIn(lab, app);
  const endMs = owners(lab, app);
  lab.clock.advance(endMs - lab.clock.ms - 1);
  assert.equal(await devicesOf(lab, cookie), 200);
  lab.clock.advance(1);
  assert.equal(await devicesOf(lab, cookie), 401);
  lab.clock.advance(1_000);
  assert.equal((await start(lab, await proofOf(lab, app))).status, 401, 'expired');
});

function owners({ deps }: Lab, { id }: TestApp): number {
  return deps.owners.app(id)?.certificate.notAfterMs ?? assert.fail();
}

test('one session more than an app may have ends its oldest', async (t) => {
  const { lab, app } = openWithApp(t);
  const neighbour = await signIn(lab, addApp(lab, 'pump-2'));
  const cookies: string[] = [];
  for (let i = 0; i < APP_SESSIONS_OF_APP_MAX; i += 1) cookies.push(await signIn(lab, app));
  const statuses = (): Promise<number[]> =>
    Promise.all(cookies.map((cookie) => devicesOf(lab, cookie)));
  assert.deepEqual(
    await statuses(),
    cookies.map(() => 200),
  );
  cookies.push(await signIn(lab, app));
  assert.deepEqual(
    await statuses(),
    cookies.map((_cookie, at) => (at === 0 ? 401 : 200)),
  );
  assert.equal(await devicesOf(lab, neighbour), 200);
});

test('a network asks for as many challenges and proofs as the limit, and one more is refused', async (t) => {
  const { lab, app } = openWithApp(t);
  const proof = await proofOf(lab, app);
  for (let i = 1; i < APP_PROOFS_PER_MINUTE_MAX - 1; i += 1) await challengeOf(lab);
  assert.equal((await start(lab, proof)).status, 201);
  for (const path of ['/v1/app/session/challenge', '/v1/app/session']) {
    const refused = await lab.call('POST', path, { body: path.endsWith('e') ? {} : proof });
    assert.equal(refused.status, 429, path);
  }
  const elsewhere = { address: '198.51.100.7' };
  const answer = await lab.call('POST', '/v1/app/session/challenge', elsewhere);
  assert.equal(answer.status, 200);
  lab.clock.advance(60_000);
  await challengeOf(lab);
});

test('readings follow live, and stop in the moment in which the right to them ends', async (t) => {
  const { lab, app } = openWithApp(t);
  addApp(lab, 'pump-2');
  const cookie = await signIn(lab, app);
  const path = '/v1/app/devices/pump-1/readings/stream';
  const foreign = await lab.call('GET', path.replace('-1', '-2'), withCookie(cookie));
  const absent = await lab.call('GET', path.replace('-1', '-3'), withCookie(cookie));
  assert.deepEqual([foreign.status, await foreign.text()], [404, await absent.text()]);
  const answer = await lab.call('GET', path, withCookie(cookie));
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const reader = new StreamReader(answer);
  assert.equal(await reader.next(), ': open\n\n');
  const facts = { deviceId: 'pump-1', topic: 'd/pump-1/telemetry', kid: '1.1', payload: '{}' };
  lab.readings.push({ index: 7, atMs: lab.clock.ms, ...facts });
  assert.match((await reader.next()) ?? '', /^event: reading\nid: 7\n/u);
  lab.deps.owners.release('pump-1');
  assert.equal(lab.readings.listeners.size, 0, 'nothing is followed any more');
  assert.equal(await reader.next(), undefined);
});

test('a stream ends with the session of the page, by the next sign of life', async (t) => {
  const { lab, app } = openWithApp(t);
  const cookie = await signIn(lab, app);
  const path = '/v1/app/devices/pump-1/readings/stream';
  const reader = new StreamReader(await lab.call('GET', path, withCookie(cookie)));
  await reader.next();
  lab.clock.advance(APP_SESSION_LIFE_MS + STREAM_HEARTBEAT_MS);
  let last: string | undefined = '';
  for (let i = 0; i < 1_000 && last !== undefined; i += 1) last = await reader.next();
  assert.equal(last, undefined);
  assert.equal(lab.readings.listeners.size, 0);
});

test('an owner has so many streams, one more is refused, and others have theirs', async (t) => {
  const { lab, app } = openWithApp(t);
  const neighbour = await signIn(lab, addApp(lab, 'pump-2'));
  const cookie = await signIn(lab, app);
  const path = '/v1/app/devices/pump-1/readings/stream';
  const open = (): Promise<Response> => lab.call('GET', path, withCookie(cookie));
  const readers: StreamReader[] = [];
  for (let i = 0; i < APP_STREAMS_OF_OWNER_MAX; i += 1) {
    const answer = await open();
    assert.equal(answer.status, 200);
    readers.push(new StreamReader(answer));
  }
  assert.equal((await open()).status, 429);
  assert.equal((await lab.call('HEAD', path, withCookie(cookie))).status, 200);
  const other = await lab.call('GET', path.replace('-1', '-2'), withCookie(neighbour));
  assert.equal(other.status, 200);
  await readers[0]?.cancel();
  assert.equal((await open()).status, 200);
  assert.equal((await open()).status, 429);
});
