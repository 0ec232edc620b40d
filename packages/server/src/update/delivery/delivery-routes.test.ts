import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type Clock, systemClock } from '../../kernel/index.ts';
import { type LabDevice, type UpdateLab, openUpdateLab, sha256Hex } from './lab.testing.ts';
import { POLL_JITTER, POLL_S, REPORT_BYTES_MAX, REQUESTS_PER_DEVICE_MAX } from './limits.ts';
import { pollSeconds } from './poll-time.ts';

const IMAGE = randomBytes(1_500_000);
const DELTA = randomBytes(70_000);
const DETACHED = Buffer.from('a signature, DER');

async function setUp(
  t: TestContext,
  clock: Clock = systemClock,
): Promise<{ lab: UpdateLab; pump: LabDevice; url: string }> {
  const lab = await openUpdateLab(t, { clock });
  const pump = lab.addDevice('pump-1');
  const signature = DETACHED.toString('base64');
  const keyId = 'ab'.repeat(32);
  const detached = [{ algorithm: 'ecdsa-p256-sha256' as const, keyId, signature }];
  const release = lab.updates.add(IMAGE, { deltas: [DELTA], custom: { detached } });
  await lab.updates.assign(pump.id, release);
  return { lab, pump, url: `/update/v1/artifact/${release.sha256}` };
}

const codes = (lab: UpdateLab): string[] => lab.reports.map(({ refusal }) => refusal.code);

test('an artifact, whole, in parts, and not again', async (t) => {
  const { lab, pump, url } = await setUp(t);
  const etag = `"${sha256Hex(IMAGE)}"`;
  const get = (headers: Record<string, string> = {}, method = 'GET') =>
    lab.ask(pump, { path: url, headers, method });

  const whole = await get();
  assert.equal(whole.status, 200);
  assert.ok(whole.bytes.equals(IMAGE));
  assert.equal(whole.headers['etag'], etag);
  assert.equal(whole.headers['accept-ranges'], 'bytes');
  assert.equal(whole.headers['content-length'], String(IMAGE.length));

  const part = await get({ range: 'bytes=600000-1199999', 'if-range': etag });
  assert.equal(part.status, 206);
  assert.ok(part.bytes.equals(IMAGE.subarray(600_000, 1_200_000)));
  assert.equal(part.headers['content-range'], `bytes 600000-1199999/${IMAGE.length}`);
  assert.ok((await get({ range: 'bytes=-1' })).bytes.equals(IMAGE.subarray(-1)));
  const other = await get({ range: 'bytes=600000-', 'if-range': '"other"' });
  assert.equal(other.status, 200);
  assert.equal((await get({ range: 'bytes=0-1,4-5' })).status, 200);

  const beyond = await get({ range: `bytes=${IMAGE.length}-` });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers['content-range'], `bytes */${IMAGE.length}`);
  const known = await get({ 'if-none-match': etag });
  assert.deepEqual([known.status, known.bytes.length], [304, 0]);

  const asked = lab.updates.asked;
  const head = await get({ range: 'bytes=0-1' }, 'HEAD');
  assert.deepEqual([head.status, head.bytes.length], [200, 0]);
  assert.equal(head.headers['content-length'], String(IMAGE.length));
  assert.equal(lab.updates.asked, asked, 'a head costs no reading');
  assert.deepEqual(codes(lab), []);
  assert.equal(lab.services.counts.open, 0);
});

test('a device gets the image of its release, its deltas and signature, and nothing else', async (t) => {
  const { lab, pump, url } = await setUp(t);
  const other = lab.updates.add(Buffer.from('of others'), { version: '9.9.9' });
  const delta = await lab.ask(pump, { path: `/update/v1/artifact/${sha256Hex(DELTA)}` });
  assert.ok(delta.bytes.equals(DELTA));
  const signature = await lab.ask(pump, { path: `${url}.sig` });
  assert.ok(signature.bytes.equals(DETACHED));
  const none = await lab.ask(pump, { path: `${url}.sig?algorithm=ed25519` });
  assert.equal(none.status, 404);

  const forbidden = await lab.ask(pump, { path: `/update/v1/artifact/${other.sha256}` });
  const missing = await lab.ask(pump, { path: `/update/v1/artifact/${'0'.repeat(64)}` });
  assert.equal(forbidden.status, 404);
  assert.deepEqual([forbidden.status, forbidden.text], [missing.status, missing.text]);
  assert.deepEqual(codes(lab), Array(3).fill('E_UPDATE_NOT_ASSIGNED'));
  assert.ok(lab.reports.every(({ principal }) => principal === 'pump-1'));

  const stranger = lab.addDevice('pump-2');
  assert.equal((await lab.ask(stranger, { path: url })).status, 404);
  await lab.updates.assign(pump.id, other);
  assert.equal((await lab.ask(pump, { path: url })).status, 404);
});

test('whoever shows no certificate is told nothing', async (t) => {
  const { lab, url } = await setUp(t);
  const paths = [url, '/update/v1/poll', '/update/v1/nothing', '/DEFAULT/controller/v1/pump-1'];
  for (const path of [...paths, '/api/devices/v1/deployments/device/deployments/next']) {
    const { status, text } = await lab.ask(undefined, { path });
    assert.equal(status, 401);
    assert.match(text, /E_OPERATE_UNAUTHENTICATED/u);
  }
  assert.deepEqual(codes(lab), Array(5).fill('E_SESSION_NO_CERTIFICATE'));
  assert.equal(lab.updates.asked, 0);
});

test('a poll is answered with its tag, and costs no store', async (t) => {
  const { lab, pump } = await setUp(t);
  const path = '/update/v1/poll';
  const first = await lab.ask(pump, { path });
  const pollS = pollSeconds('pump-1');
  assert.deepEqual(first.json(), { revision: 'r1', release: 'thermostat@1.0.0', pollS });
  assert.equal(first.headers['etag'], '"r1"');
  const headers = { 'if-none-match': '"r1"' };
  assert.equal((await lab.ask(pump, { path, headers })).status, 304);
  await lab.updates.assign(pump.id, undefined);
  const after = await lab.ask(pump, { path, headers });
  assert.deepEqual(after.json(), { revision: 'r2', release: null, pollS });
  assert.equal(lab.updates.asked, 0);
});

test('the times of polls are spread over the fleet, and stay the same for each device', () => {
  const times = Array.from({ length: 2_000 }, (_, at) => pollSeconds(`pump-${at}`));
  assert.ok(Math.min(...times) >= POLL_S * (1 - POLL_JITTER));
  assert.ok(Math.max(...times) <= POLL_S * (1 + POLL_JITTER));
  assert.ok(new Set(times).size > 100);
  assert.equal(pollSeconds('pump-1'), pollSeconds('pump-1'));
});

test('metadata of both repositories, those of the director for one device', async (t) => {
  const { lab, pump } = await setUp(t);
  lab.updates.files.set('timestamp.json', Buffer.from('{"image":1}'));
  lab.updates.files.set('pump-1/targets.json', Buffer.from('{"director":1}'));
  const image = await lab.ask(pump, { path: '/update/v1/image/timestamp.json' });
  assert.equal(image.text, '{"image":1}');
  const headers = { 'if-none-match': String(image.headers['etag']) };
  const again = await lab.ask(pump, { path: '/update/v1/image/timestamp.json', headers });
  assert.equal(again.status, 304);
  const own = await lab.ask(pump, { path: '/update/v1/director/targets.json' });
  assert.equal(own.text, '{"director":1}');
  const other = lab.addDevice('pump-2');
  assert.equal((await lab.ask(other, { path: '/update/v1/director/targets.json' })).status, 404);
  for (const name of ['2.root.json', '..%2fsecret.json', `${'a'.repeat(100)}.json`, '.json']) {
    assert.equal((await lab.ask(pump, { path: `/update/v1/image/${name}` })).status, 404, name);
  }
  assert.deepEqual(codes(lab), [], 'to look for the next root is no refusal');
});

test('reports are taken in the form of the contract', async (t) => {
  const { lab, pump } = await setUp(t);
  const path = '/update/v1/report';
  const report = { release: 'thermostat@1.0.0', state: 'trial', counter: 1 } as const;
  const taken = await lab.ask(pump, { path, method: 'POST', body: report });
  assert.equal(taken.status, 204);
  assert.deepEqual(lab.updates.taken, [{ device: 'pump-1', report }]);
  const wrong = { ...report, state: 'fine' };
  assert.equal((await lab.ask(pump, { path, method: 'POST', body: wrong })).status, 400);
  const more = { ...report, device: 'pump-2' };
  assert.equal((await lab.ask(pump, { path, method: 'POST', body: more })).status, 400);
  const large = 'x'.repeat(REPORT_BYTES_MAX);
  assert.equal((await lab.ask(pump, { path, method: 'POST', body: large })).status, 413);
  assert.equal((await lab.ask(pump, { path })).status, 405);
  assert.deepEqual(codes(lab), ['E_UPDATE_INPUT', 'E_UPDATE_INPUT', 'E_INGEST_SIZE']);
  assert.equal(lab.updates.taken.length, 1);
});

test('a device that asks without end has to wait; others do not', async (t) => {
  // Its minute must not end while it asks, however slow the machine is.
  const { lab, pump } = await setUp(t, { ...systemClock, monotonicMs: () => 0 });
  const path = '/update/v1/poll';
  for (let at = 0; at < REQUESTS_PER_DEVICE_MAX; at += 50) {
    const count = Math.min(50, REQUESTS_PER_DEVICE_MAX - at);
    const asked = Array.from({ length: count }, () => lab.ask(pump, { path }));
    for (const { status } of await Promise.all(asked)) assert.equal(status, 200);
  }
  const late = await lab.ask(pump, { path });
  assert.equal(late.status, 429);
  assert.ok(Number(late.headers['retry-after']) > 0);
  assert.deepEqual(codes(lab), ['E_UPDATE_RATE']);
  assert.equal((await lab.ask(lab.addDevice('pump-2'), { path })).status, 200);
});

test('only reading, where there is nothing to write', async (t) => {
  const { lab, pump, url } = await setUp(t);
  for (const method of ['POST', 'PUT', 'DELETE']) {
    assert.equal((await lab.ask(pump, { path: url, method })).status, 405);
  }
});

for (const damagedFrom of [0, 600_000]) {
  test(`an artifact damaged from byte ${damagedFrom} on: one line of the log, and no word to the peer`, async (t) => {
    const { lab, pump, url } = await setUp(t);
    const printed = t.mock.method(console, 'error', () => {});
    const artifact = lab.updates.artifacts.get(sha256Hex(IMAGE));
    if (artifact !== undefined) artifact.damagedFrom = damagedFrom;
    await assert.rejects(lab.ask(pump, { path: url }), (error: Error) => {
      assert.doesNotMatch(error.message, /damaged/u);
      return true;
    });
    assert.equal(printed.mock.callCount(), 0);
    assert.equal(lab.logged.length, 1);
    assert.match(lab.logged[0] ?? '', /a download was broken off/u);
    assert.equal(lab.services.counts.open, 0);
  });
}
