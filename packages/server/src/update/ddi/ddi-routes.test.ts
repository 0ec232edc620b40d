import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import {
  type Answer,
  type LabDevice,
  type UpdateLab,
  openUpdateLab,
  sha256Hex,
} from '../delivery/lab.testing.ts';
import { FEEDBACK_BYTES_MAX } from './limits.ts';

const IMAGE = randomBytes(200_000);
const BASE = '/DEFAULT/controller/v1/pump-1';

interface SetUp {
  readonly lab: UpdateLab;
  readonly pump: LabDevice;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  readonly post: (path: string, body: unknown) => Promise<Answer>;
  /** The path of a link in the poll, without its host; undefined when there is none. */
  readonly link: (name: string) => Promise<string | undefined>;
}

async function setUp(t: TestContext): Promise<SetUp> {
  const lab = await openUpdateLab(t);
  const pump = lab.addDevice('pump-1');
  await lab.updates.assign(pump.id, lab.updates.add(IMAGE, { name: 'thermostat-1.0.0.swu' }));
  const get: SetUp['get'] = (path, headers = {}) => lab.ask(pump, { path, headers });
  return {
    lab,
    pump,
    get,
    post: (path, body) => lab.ask(pump, { path, method: 'POST', body }),
    async link(name) {
      const { text } = await get(BASE);
      const { _links: links } = JSON.parse(text) as { _links: Record<string, { href: string }> };
      const href = links[name]?.href;
      return href === undefined ? undefined : new URL(href).pathname;
    },
  };
}

/** As SWUpdate 2022.12 writes it; `of` and `cnt` as in its source. */
const swupdate = (id: number, finished: string, execution: string, details: string[], at = 0) => ({
  id,
  time: '20261121T171308',
  status: { result: { progress: { cnt: at, of: 1 }, finished }, execution, details },
});

/** As rauc-hawkbit-updater writes it. */
const rauc = (id: string, finished: string, execution: string, detail: string) => ({
  id,
  time: '20261121T171308',
  status: { result: { finished }, execution, details: [detail] },
});

/** As Zephyr writes it. */
const zephyr = (finished: string, execution: string) => ({
  status: { execution, result: { finished } },
});

test('SWUpdate: what it is, its update, its result', async (t) => {
  const { lab, get, post, link, pump } = await setUp(t);
  const first = await get(BASE);
  assert.match(first.text, /"sleep":"00:00:05"/u, 'it sleeps before it looks at its update');
  const attributes = { id: '', time: 'x', status: {}, data: { hardware: 'thermo-a', other: 'x' } };
  const put = { path: `${BASE}/configData`, method: 'PUT', body: attributes };
  assert.equal((await lab.ask(pump, put)).status, 200);
  assert.equal(await link('configData'), undefined, 'it is asked once');
  assert.match((await get(BASE)).text, /"sleep":"00:0[3-6]:\d\d"/u);

  const at = (await link('deploymentBase')) ?? assert.fail('nothing is offered');
  const number = Number(at.split('/').at(-1));
  assert.ok(number >= 1 && number < 2 ** 31);
  const { id, deployment } = (await get(at)).json() as {
    id: string;
    deployment: { chunks: { artifacts: Record<string, unknown>[] }[] };
  };
  assert.equal(id, String(number));
  const [artifact] = deployment.chunks[0]?.artifacts ?? [];
  const sum = (name: string): string => createHash(name).update(IMAGE).digest('hex');
  assert.equal(artifact?.['filename'], 'thermostat-1.0.0.swu');
  assert.equal(artifact['size'], IMAGE.length);
  const hashes = { sha1: sum('sha1'), md5: sum('md5'), sha256: sha256Hex(IMAGE) };
  assert.deepEqual(artifact['hashes'], hashes);
  const file = `${BASE}/softwaremodules/${number}/artifacts/thermostat-1.0.0.swu`;
  assert.ok((await get(file)).bytes.equals(IMAGE));
  assert.ok((await get(file, { range: 'bytes=1000-' })).bytes.equals(IMAGE.subarray(1_000)));
  assert.equal((await get(`${file}.MD5SUM`)).text, `${sum('md5')}  thermostat-1.0.0.swu\n`);

  const feedback = `${at}/feedback`;
  const say = async (body: unknown): Promise<void> =>
    assert.equal((await post(feedback, body)).status, 200);
  await say(swupdate(number, 'none', 'proceeding', ['Installing Update Chunk Artifacts.']));
  await say(swupdate(number, 'none', 'proceeding', ['Installed Chunk.'], 1));
  await say(swupdate(number, 'none', 'proceeding', ['a line of its log']));
  assert.equal(await link('deploymentBase'), at, 'until it says that it runs well');
  await say(swupdate(number, 'success', 'closed', ['Update Installed.']));
  await say(swupdate(number, 'success', 'closed', ['Update Installed.']));
  assert.equal(await link('deploymentBase'), undefined);
  const told = lab.updates.taken.map(({ report }) => report.state);
  assert.deepEqual(told, ['downloading', 'staged', 'confirmed']);
  const last = { release: 'thermostat@1.0.0', state: 'confirmed', hardware: 'thermo-a' };
  assert.deepEqual(lab.updates.taken.at(-1), { device: 'pump-1', report: last });
  assert.deepEqual(lab.reports, []);
});

test('RAUC: numbers as text, a failure, and the same release once more', async (t) => {
  const { lab, post, link, get, pump } = await setUp(t);
  const at = (await link('deploymentBase')) ?? assert.fail();
  const id = at.split('/').at(-1) ?? '';
  await get(at);
  await post(`${at}/feedback`, rauc(id, 'none', 'proceeding', 'Download complete. 1.00 MB/s'));
  const failed = 'Failed to install software bundle.';
  assert.equal((await post(`${at}/feedback`, rauc(id, 'failure', 'closed', failed))).status, 200);
  assert.equal(lab.updates.taken.at(-1)?.report.why, failed);
  assert.equal(await link('deploymentBase'), undefined, 'it does not fail for ever');
  lab.services.assigned(pump.id);
  const again = await link('deploymentBase');
  assert.ok(again !== undefined && again !== at, 'who assigns it again means it');
});

test('Zephyr: the path of "download-http", one chunk of "bApp", small answers', async (t) => {
  const { lab, post, link, get } = await setUp(t);
  const at = (await link('deploymentBase')) ?? assert.fail();
  assert.ok(at.slice(at.indexOf('deploymentBase/')).length < 50);
  const answer = await get(at);
  const { deployment } = answer.json() as {
    deployment: {
      chunks: { part: string; artifacts: { _links: Record<string, { href: string }> }[] }[];
    };
  };
  const [chunk] = deployment.chunks;
  assert.equal(deployment.chunks.length, 1);
  assert.equal(chunk?.part, 'bApp');
  const href = chunk.artifacts[0]?._links['download-http']?.href ?? '';
  const path = href.slice(href.indexOf('/DEFAULT/controller/v1'));
  assert.ok(path.length < 200);
  assert.ok((await get(path)).bytes.equals(IMAGE));
  assert.equal((await post(`${at}/feedback`, zephyr('success', 'closed'))).status, 200);
  assert.equal(lab.updates.taken.at(-1)?.report.state, 'confirmed');
});

test('what was begun and is not to go on is cancelled; what was not begun is just gone', async (t) => {
  const { lab, pump, get, post, link } = await setUp(t);
  const offered = (await link('deploymentBase')) ?? assert.fail();
  await lab.updates.assign(pump.id, undefined);
  assert.equal(await link('cancelAction'), undefined);
  assert.equal((await get(offered)).status, 404);

  const second = lab.updates.add(Buffer.from('second'), { version: '2.0.0', name: 'b.swu' });
  await lab.updates.assign(pump.id, second);
  const begun = (await link('deploymentBase')) ?? assert.fail();
  await get(begun);
  const third = lab.updates.add(Buffer.from('third'), { version: '3.0.0', name: 'c.swu' });
  await lab.updates.assign(pump.id, third);
  const cancel = (await link('cancelAction')) ?? assert.fail('it goes on');
  assert.equal(await link('deploymentBase'), undefined, 'one after the other');
  const number = begun.split('/').at(-1) ?? '';
  assert.deepEqual((await get(cancel)).json(), { id: number, cancelAction: { stopId: number } });
  await post(`${begun}/feedback`, rauc(number, 'success', 'closed', 'too late'));
  assert.deepEqual(lab.updates.taken, [], 'it is not the result of the third');
  await post(`${cancel}/feedback`, rauc(number, 'success', 'closed', 'Action canceled.'));
  assert.equal(await link('cancelAction'), undefined);
  const next = (await link('deploymentBase')) ?? assert.fail();
  assert.notEqual(next, begun);
  assert.match((await get(next)).text, /"version":"3.0.0"/u);
});

test('another device, or another tenant, in the path is refused as if it were not there', async (t) => {
  const { lab, pump } = await setUp(t);
  lab.addDevice('pump-2');
  for (const path of [
    '/DEFAULT/controller/v1/pump-2',
    '/DEFAULT/controller/v1/pump-2/deploymentBase/1',
    '/other/controller/v1/pump-1',
    '/DEFAULT/controller/v1/PUMP-1',
  ]) {
    assert.equal((await lab.ask(pump, { path })).status, 404, path);
  }
  const seen = lab.reports.map(({ refusal, principal }) => [refusal.code, principal]);
  assert.deepEqual(
    seen,
    seen.map(() => ['E_UPDATE_IDENTITY', 'pump-1']),
  );
  assert.equal(seen.length, 4);
  assert.equal((await lab.ask(pump, { path: '/default/controller/v1/pump-1' })).status, 200);
});

test('what cannot be read is refused, what is over is heard', async (t) => {
  const { lab, post, link, get } = await setUp(t);
  const at = (await link('deploymentBase')) ?? assert.fail();
  await get(at);
  const send = async (body: unknown): Promise<number> =>
    (await post(`${at}/feedback`, body)).status;
  assert.equal(await send({ status: 'fine' }), 400);
  assert.equal(await send(zephyr('none', 'closed')), 400, 'an end must be good or bad');
  assert.equal(
    await send({ ...zephyr('none', 'proceeding'), x: 'x'.repeat(FEEDBACK_BYTES_MAX) }),
    413,
  );
  const later = `${BASE}/deploymentBase/2147483646/feedback`;
  assert.equal((await post(later, zephyr('success', 'closed'))).status, 404);
  assert.equal(
    (await post(`${BASE}/deploymentBase/x/feedback`, zephyr('success', 'closed'))).status,
    404,
  );
  assert.equal(lab.updates.taken.length, 0);
  assert.equal(await send(zephyr('none', 'scheduled')), 200);
  assert.equal(lab.updates.taken.length, 0);
  assert.equal(await send(zephyr('none', 'rejected')), 200);
  assert.equal(lab.updates.taken.at(-1)?.report.state, 'failed');
});

test('files of other numbers, and of other names, are refused', async (t) => {
  const { lab, get, link } = await setUp(t);
  const number = (await link('deploymentBase'))?.split('/').at(-1) ?? '';
  for (const path of [
    `softwaremodules/${Number(number) + 1}/artifacts/thermostat-1.0.0.swu`,
    `softwaremodules/${number}/artifacts/other.swu`,
    `softwaremodules/${number}/artifacts/..%2fthermostat-1.0.0.swu`,
  ]) {
    assert.equal((await get(`${BASE}/${path}`)).status, 404, path);
  }
  const codes = lab.reports.map(({ refusal }) => refusal.code);
  assert.deepEqual(codes, Array(3).fill('E_UPDATE_NOT_ASSIGNED'));
});
