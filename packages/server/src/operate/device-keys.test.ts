import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ClassView, CreatedDeviceApiKey, DeviceApiKeyView } from '@holdfast/protocol/api';
import { ClassSettings } from '../registry/index.ts';
import { codeOf, openLab } from './lab.testing.ts';

const KEYS = '/v1/devices/dev-1/api-keys';
const DAY_MS = 86_400_000;

/** A lab with one device, and calls as the local operator. */
async function open(t: TestContext) {
  const lab = openLab(t);
  const call = (method: string, path: string, body?: unknown): Promise<Response> =>
    lab.call(method, path, { token: lab.localToken, body });
  await call('POST', '/v1/devices', { id: 'dev-1', class: 'sensor' });
  return {
    ...lab,
    as: call,
    create: async (body: unknown = {}): Promise<CreatedDeviceApiKey> => {
      const answer = await call('POST', KEYS, body);
      assert.equal(answer.status, 201);
      return (await answer.json()) as CreatedDeviceApiKey;
    },
    list: async (): Promise<readonly DeviceApiKeyView[]> => {
      const answer = await call('GET', KEYS);
      assert.equal(answer.status, 200);
      return ((await answer.json()) as { apiKeys: DeviceApiKeyView[] }).apiKeys;
    },
  };
}

test('an API key is shown once, and rotated with an overlap', async (t) => {
  const { create, list, clock, recorded } = await open(t);
  const first = await create();
  assert.match(first.key, /^hfk_[A-Za-z0-9_-]{43}$/u);
  assert.equal(first.previous, undefined);
  assert.equal(first.apiKey.endsAt, undefined);
  const second = await create({ lifeMs: 30 * DAY_MS });
  const inDays = (days: number): string => new Date(clock.ms + days * DAY_MS).toISOString();
  assert.deepEqual(second.previous, { ...first.apiKey, endsAt: inDays(7) });
  assert.equal(second.apiKey.endsAt, inDays(30));
  const keys = await list();
  assert.deepEqual(keys, [second.previous, second.apiKey]);
  assert.ok(!JSON.stringify([keys, recorded]).includes(first.key.slice(4)));
  const third = await create({ overlapMs: 0 });
  assert.deepEqual([third.previous, await list()], [undefined, [third.apiKey]]);
  assert.deepEqual(
    recorded.filter(({ action }) => action === 'device.api-key').map(({ target }) => target),
    ['dev-1', 'dev-1', 'dev-1'],
  );
});

test('a key is not given that is not on the audit log', async (t) => {
  const lab = await open(t);
  lab.journal.beforeRecord = () => {
    throw new Error('the disk is gone');
  };
  assert.equal((await lab.as('POST', KEYS, {})).status, 500);
  assert.deepEqual(await lab.list(), []);
  lab.journal.isReady = false;
  assert.equal((await lab.as('POST', KEYS, {})).status, 503);
});

test('a device that is revoked gets no key, also not while its making is recorded', async (t) => {
  const lab = await open(t);
  const device = lab.registry.byId('dev-1') ?? assert.fail('no device');
  lab.journal.beforeRecord = ({ action }) => {
    if (action === 'device.api-key') {
      lab.registry.changeState(device.id, { act: 'revoke', by: 'local', reason: 'stolen' });
    }
  };
  const answer = await lab.as('POST', KEYS, {});
  assert.deepEqual([answer.status, await codeOf(answer)], [409, 'E_OPERATE_CONFLICT']);
  assert.deepEqual(await lab.list(), []);
  assert.equal((await lab.as('POST', KEYS, {})).status, 409);
});

test('a key is removed although the act cannot be recorded, and only once', async (t) => {
  const lab = await open(t);
  const { apiKey } = await lab.create();
  lab.journal.beforeRecord = () => {
    throw new Error('the disk is gone');
  };
  assert.equal((await lab.as('DELETE', `${KEYS}/${apiKey.id}`)).status, 500);
  assert.deepEqual(await lab.list(), []);
  lab.journal.beforeRecord = () => {};
  const again = await lab.as('DELETE', `${KEYS}/${apiKey.id}`);
  assert.deepEqual([again.status, await codeOf(again)], [404, 'E_OPERATE_NOT_FOUND']);
});

test('life and overlap have bounds', async (t) => {
  const { as } = await open(t);
  const status = async (body: unknown): Promise<number> => (await as('POST', KEYS, body)).status;
  for (const body of [
    { lifeMs: 3_600_000 - 1 },
    { lifeMs: 315_360_000_000 + 1 },
    { overlapMs: -1 },
    { overlapMs: 90 * DAY_MS + 1 },
    { key: 'mine' },
  ]) {
    assert.equal(await status(body), 400, JSON.stringify(body));
  }
  const bounds = [{ lifeMs: 3_600_000 }, { lifeMs: 315_360_000_000 }, { overlapMs: 90 * DAY_MS }];
  for (const body of bounds) assert.equal(await status(body), 201, JSON.stringify(body));
});

test('what a class asks is shown and set, with how many devices have no key', async (t) => {
  const lab = await open(t);
  await lab.as('POST', '/v1/devices', { id: 'dev-2', class: 'sensor' });
  await lab.as('POST', '/v1/devices', { id: 'gateway-1', class: 'gateway' });
  await lab.create();
  const view = async (answer: Response): Promise<ClassView> => {
    assert.equal(answer.status, 200);
    return (await answer.json()) as ClassView;
  };
  const onClone = 'quarantine' as const;
  const rules = { onClone, lateHours: 168, renewalGraceMs: 180 * DAY_MS };
  const counts = { name: 'sensor', ...rules, deviceCount: 2, withoutApiKeyCount: 1 };
  const path = '/v1/classes/sensor';
  assert.deepEqual(await view(await lab.as('GET', path)), { ...counts, requiresApiKey: false });
  const set = { requiresApiKey: true };
  assert.deepEqual(await view(await lab.as('PUT', path, set)), { ...counts, ...set });
  assert.deepEqual(await view(await lab.as('GET', path)), { ...counts, ...set });
  const act = lab.recorded.at(-1);
  assert.deepEqual([act?.action, act?.target], ['class.set', 'sensor']);
  const before = { ...rules, requiresApiKey: false };
  assert.deepEqual(act?.facts, { ...rules, retention: undefined, requiresApiKey: true, before });
  assert.equal((await lab.as('PUT', '/v1/classes/toaster', set)).status, 400);
  assert.equal((await lab.as('PUT', path, { requiresApiKey: 'yes' })).status, 400);
});

test('to ask for a key is done first, to ask for none is recorded first', async (t) => {
  const lab = await open(t);
  const { classSettings } = lab.deps;
  const set = (requiresApiKey: boolean) => lab.as('PUT', '/v1/classes/sensor', { requiresApiKey });
  lab.journal.beforeRecord = () => {
    throw new Error('the disk is gone');
  };
  assert.equal((await set(true)).status, 500);
  assert.ok(classSettings.of('sensor').requiresApiKey);
  assert.equal((await set(false)).status, 500);
  assert.ok(classSettings.of('sensor').requiresApiKey);
});

test('a longer grace is on the log before it counts, a shorter one after; both sides', async (t) => {
  const lab = await open(t);
  const { classSettings } = lab.deps;
  const seen: number[] = [];
  lab.journal.beforeRecord = () => void seen.push(classSettings.of('sensor').renewalGraceMs);
  const set = async (renewalGraceMs: number): Promise<number> =>
    (await lab.as('PUT', '/v1/classes/sensor', { renewalGraceMs })).status;
  assert.equal(await set(0), 200);
  assert.equal(await set(365 * DAY_MS), 200);
  assert.deepEqual(seen, [0, 0]);
  assert.equal(await set(365 * DAY_MS + 1), 400);
  assert.equal(await set(-1), 400);
  const view = (await (await lab.as('GET', '/v1/classes/sensor')).json()) as ClassView;
  assert.equal(view.renewalGraceMs, 365 * DAY_MS);
  const { onClone, requiresApiKey } = new ClassSettings(lab.store).of('sensor');
  assert.deepEqual([onClone, requiresApiKey], ['quarantine', false], 'the rest is as it was');
  assert.equal(new ClassSettings(lab.store).of('sensor').renewalGraceMs, 365 * DAY_MS);
});
