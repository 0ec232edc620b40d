/** Goal: an import makes all of its devices or none, and loses no claim that counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseClaim } from '@holdfast/protocol';
import { type ImportedDevices, ImportedDevicesSchema } from '@holdfast/protocol/api';
import { type Lab, codeOf, openLab, present } from './lab.testing.ts';

type Wish = { id: string; class: string; group?: string };

const PUMPS: readonly Wish[] = [
  { id: 'pump-1', class: 'sensor', group: 'north' },
  { id: 'pump-2', class: 'actuator' },
];

function post(lab: Lab, devices: readonly Wish[], options: object = {}): Promise<Response> {
  const body = { devices, ...options };
  return lab.call('POST', '/v1/device-imports', { token: lab.localToken, body });
}

async function imported(answer: Response): Promise<ImportedDevices> {
  assert.equal(answer.status, 201);
  return ImportedDevicesSchema.parse(await answer.json());
}

test('each device is added with a claim of its own, and each is on the log', async (t) => {
  const lab = openLab(t);
  const { added, claimedAgain, claims } = await imported(await post(lab, PUMPS));
  assert.deepEqual([added, claimedAgain], [2, 0]);
  assert.deepEqual(
    claims.map(({ id, text }) => [id, parseClaim(text)?.deviceId]),
    [
      ['pump-1', 'pump-1'],
      ['pump-2', 'pump-2'],
    ],
  );
  assert.notEqual(lab.registry.claimOf('pump-1'), undefined);
  const { group, state, stateBy } = lab.registry.byId('pump-1') ?? assert.fail('pump-1');
  assert.deepEqual([group, state, stateBy], ['north', 'registered', 'local']);
  assert.deepEqual(
    lab.recorded.map(({ action, target, facts }) => [action, target, facts]),
    [
      ['device.add', 'pump-1', { class: 'sensor', group: 'north', isImport: true }],
      ['device.add', 'pump-2', { class: 'actuator', group: '', isImport: true }],
    ],
  );
  const secret = parseClaim(claims[0]?.text ?? '')?.secret ?? assert.fail('a claim');
  assert.ok(!JSON.stringify([lab.recorded, lab.logLines]).includes(secret));
});

test('a dry run tells what is in the way, and does nothing', async (t) => {
  const lab = openLab(t);
  present(lab.registry.add({ id: 'pump-2', class: 'actuator' }));
  const { added, conflicts, claims } = await imported(await post(lab, PUMPS, { dryRun: true }));
  assert.deepEqual([added, claims], [1, []]);
  assert.deepEqual(conflicts, [{ id: 'pump-2', why: 'exists already' }]);
  assert.equal(lab.registry.byId('pump-1'), undefined);
  const refused = await post(lab, PUMPS);
  assert.equal(refused.status, 409);
  assert.match(await refused.text(), /Nothing was imported: pump-2 exists already\./);
  assert.equal(lab.registry.byId('pump-1'), undefined);
  assert.deepEqual(lab.recorded, []);
});

test('again gives new claims to what is the same and never was enrolled, and to nothing else', async (t) => {
  const lab = openLab(t);
  const { claims } = await imported(await post(lab, PUMPS));
  const more = [...PUMPS, { id: 'pump-3', class: 'sensor' }];
  const second = await imported(await post(lab, more, { again: true }));
  assert.deepEqual([second.added, second.claimedAgain, second.claims.length], [1, 2, 3]);
  assert.notEqual(second.claims[0]?.text, claims[0]?.text);
  assert.deepEqual(
    lab.recorded.slice(-2).map(({ action, target }) => [action, target]),
    [
      ['device.claim', 'pump-1'],
      ['device.claim', 'pump-2'],
    ],
  );
  const { registry } = lab;
  present(registry.changeState('pump-1', { act: 'enroll', by: 'pump-1', reason: 'test' }));
  const why = async (devices: readonly Wish[]) =>
    (await imported(await post(lab, devices, { again: true, dryRun: true }))).conflicts[0]?.why;
  assert.equal(await why(PUMPS), 'was enrolled before');
  assert.equal(
    await why([{ id: 'pump-2', class: 'sensor' }]),
    'has the class actuator and the group ""',
  );
  assert.equal(
    await why([{ id: 'pump-2', class: 'actuator', group: 'x' }]),
    'has the class actuator and the group ""',
  );
  const before = registry.claimOf('pump-2');
  assert.equal((await post(lab, PUMPS, { again: true })).status, 409);
  assert.deepEqual(registry.claimOf('pump-2'), before, 'one that is wrong stops all');
});

test('nothing is imported when it cannot be recorded, or somebody was faster', async (t) => {
  const lab = openLab(t);
  lab.journal.beforeRecord = () => {
    throw new Error('the disk is gone');
  };
  assert.equal((await post(lab, PUMPS)).status, 500);
  assert.equal(lab.registry.byId('pump-1'), undefined);
  lab.journal.isReady = false;
  assert.equal(await codeOf(await post(lab, PUMPS)), 'E_JOURNAL_UNAVAILABLE');
  lab.journal.isReady = true;
  const { promise, resolve } = Promise.withResolvers<void>();
  lab.journal.beforeRecord = () => promise;
  const both = [post(lab, PUMPS), post(lab, PUMPS)];
  const single = lab.call('POST', '/v1/devices', {
    token: lab.localToken,
    body: { id: 'pump-2', class: 'sensor' },
  });
  setImmediate(resolve);
  const statuses = (await Promise.all([...both, single])).map(({ status }) => status);
  assert.deepEqual(statuses, [201, 409, 409]);
});

test('a device that was enrolled while its new claim was recorded keeps what it has', async (t) => {
  const lab = openLab(t);
  await imported(await post(lab, PUMPS));
  const claim = lab.registry.claimOf('pump-1');
  lab.journal.beforeRecord = () => {
    lab.journal.beforeRecord = () => {};
    lab.registry.changeState('pump-1', { act: 'enroll', by: 'pump-1', reason: 'test' });
  };
  assert.equal((await post(lab, PUMPS, { again: true })).status, 409);
  assert.deepEqual(lab.registry.claimOf('pump-1'), claim);
});

test('a request imports 1 to 500 devices, each one once and well formed', async (t) => {
  const lab = openLab(t);
  const many = (count: number): Wish[] =>
    Array.from({ length: count }, (_, at) => ({ id: `d${at}`, class: 'sensor' }));
  assert.equal((await imported(await post(lab, many(500)))).added, 500);
  for (const devices of [
    [],
    many(501),
    [...PUMPS, ...PUMPS],
    [{ id: '-pump', class: 'sensor' }],
    [{ id: 'pump', class: 'senser' }],
    [{ id: 'pump', class: 'sensor', group: 'a b' }],
  ]) {
    assert.equal(await codeOf(await post(lab, devices)), 'E_OPERATE_INPUT');
  }
});

test('who may claim in one group only imports into that group only', async (t) => {
  const lab = openLab(t);
  present(lab.registry.add({ id: 'pump-s', class: 'sensor', group: 'south' }));
  lab.deps.policies.authorizer.activate(`
    permit (principal in Role::"installer", action == Action::"device:claim", resource is Device)
    when { resource.group == Group::"north" };`);
  const { people } = lab;
  const { code } = present(people.membership.invite({ name: 'ina', role: 'installer' }));
  const person = present(people.membership.redeem(code.expose()));
  const session = people.startSession(person, { by: 'totp', address: '192.0.2.1' }).id.expose();
  const ask = (devices: readonly Wish[]) =>
    lab.call('POST', '/v1/device-imports', {
      session,
      body: { devices, again: true, dryRun: true },
    });
  assert.equal((await imported(await ask(PUMPS.slice(0, 1)))).added, 1);
  assert.equal(await codeOf(await ask(PUMPS)), 'E_OPERATE_FORBIDDEN');
  const hidden = await imported(await ask([{ id: 'pump-s', class: 'sensor', group: 'north' }]));
  assert.deepEqual(hidden.conflicts, [{ id: 'pump-s', why: 'exists already' }]);
});
