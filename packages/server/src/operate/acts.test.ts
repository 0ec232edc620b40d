/**
 * Goal: nothing is given that is not on the audit log, and nothing stays that was taken away.
 * Method: recording fails, or the test does something else while it lasts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Lab, type LabRequest, PASSWORD, codeOf, openLab, present } from './lab.testing.ts';

/** One turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Everything of the lab that a person could have been given. */
function stateOf({ registry, people }: Lab): string {
  const devices = registry.all().map((device) => [device, registry.claimOf(device.id)]);
  return JSON.stringify([devices, people.tokens()]);
}

function failRecording(lab: Lab): void {
  lab.journal.beforeRecord = () => {
    throw new Error('the disk is gone');
  };
}

async function assertFault(answer: Response): Promise<void> {
  assert.equal(answer.status, 500);
  const text = await answer.text();
  assert.match(text, /"E_OPERATE_FAULT"/);
  assert.ok(!text.includes('disk is gone'), 'the answer tells of the inside');
  assert.equal(answer.headers.get('set-cookie'), null);
}

const GIVING: readonly (readonly [path: string, request: LabRequest])[] = [
  ['/v1/devices', { body: { id: 'dev-2', class: 'sensor' } }],
  ['/v1/devices/dev-1/claim', {}],
  ['/v1/tokens', { body: { label: 'lab' } }],
];

for (const [path, request] of GIVING) {
  test(`POST ${path} gives nothing when its act cannot be recorded`, async (t) => {
    const lab = openLab(t);
    const session = await lab.signInFirst();
    const device = { body: { id: 'dev-1', class: 'sensor' } };
    await lab.call('POST', '/v1/devices', { session, ...device });
    const before = stateOf(lab);
    failRecording(lab);
    await assertFault(await lab.call('POST', path, { session, ...request }));
    assert.equal(stateOf(lab), before);
    assert.match(lab.logLines.at(-1) ?? '', /the disk is gone/);
    lab.journal.beforeRecord = () => {};
    assert.equal((await lab.call('POST', path, { session, ...request })).status, 201);
    assert.notEqual(stateOf(lab), before);
  });

  test(`POST ${path} is refused at once while nothing can be stored`, async (t) => {
    const lab = openLab(t);
    const session = await lab.signInFirst();
    await lab.call('POST', '/v1/devices', { session, body: { id: 'dev-1', class: 'sensor' } });
    const before = stateOf(lab);
    lab.journal.isReady = false;
    const answer = await lab.call('POST', path, { session, ...request });
    assert.equal(answer.status, 503);
    assert.equal(await codeOf(answer), 'E_JOURNAL_UNAVAILABLE');
    assert.equal(stateOf(lab), before);
  });
}

test('a claim is not shown before its act is recorded', async (t) => {
  const lab = openLab(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  lab.journal.beforeRecord = () => promise;
  let isAnswered = false;
  const body = { id: 'dev-1', class: 'sensor' };
  const token = lab.localToken;
  const answer = lab.call('POST', '/v1/devices', { token, body }).finally(() => {
    isAnswered = true;
  });
  await turn();
  assert.ok(!isAnswered);
  assert.equal(lab.registry.byId('dev-1'), undefined);
  resolve();
  assert.equal((await answer).status, 201);
});

test('of two who add one device at once, one does, and one act says so', async (t) => {
  const lab = openLab(t);
  lab.journal.beforeRecord = () => turn();
  const body = { id: 'dev-1', class: 'sensor' };
  const add = () => lab.call('POST', '/v1/devices', { token: lab.localToken, body });
  const answers = await Promise.all([add(), add()]);
  assert.deepEqual(
    answers.map(({ status }) => status).sort((a, b) => a - b),
    [201, 409],
  );
  assert.equal(lab.recorded.length, 1);
});

test('a claim does not lift a revocation that came while it was recorded', async (t) => {
  const lab = openLab(t);
  const device = present(lab.registry.add({ id: 'dev-1', class: 'sensor' }));
  lab.journal.beforeRecord = ({ action }) => {
    if (action === 'device.claim') {
      lab.registry.changeState(device.id, { act: 'revoke', by: 'local', reason: 'stolen' });
    }
  };
  const answer = await lab.call('POST', '/v1/devices/dev-1/claim', { token: lab.localToken });
  assert.equal(answer.status, 409);
  assert.equal(lab.registry.byId('dev-1')?.state, 'revoked');
  assert.equal(lab.registry.claimOf('dev-1'), undefined);
});

test('a revocation holds although its act cannot be recorded', async (t) => {
  const lab = openLab(t);
  const { registry, localToken: token } = lab;
  await lab.call('POST', '/v1/devices', { token, body: { id: 'dev-1', class: 'sensor' } });
  const heard: string[] = [];
  registry.onChange(({ state }) => heard.push(state));
  failRecording(lab);
  const body = { reason: 'stolen' };
  await assertFault(await lab.call('POST', '/v1/devices/dev-1/revoke', { token, body }));
  assert.deepEqual(heard, ['revoked']);
  assert.equal(registry.byId('dev-1')?.state, 'revoked');
  assert.equal(registry.claimOf('dev-1'), undefined);
});

test('a revocation does not wait for the disk, and is recorded when it comes back', async (t) => {
  const lab = openLab(t);
  const { registry, localToken: token } = lab;
  await lab.call('POST', '/v1/devices', { token, body: { id: 'dev-1', class: 'sensor' } });
  const { promise, resolve } = Promise.withResolvers<void>();
  lab.journal.isReady = false;
  lab.journal.beforeRecord = () => promise;
  const body = { reason: 'stolen' };
  const answer = lab.call('POST', '/v1/devices/dev-1/revoke', { token, body });
  await turn();
  assert.equal(registry.byId('dev-1')?.state, 'revoked');
  resolve();
  assert.equal((await answer).status, 200);
  assert.equal(lab.recorded.at(-1)?.action, 'device.revoke');
});

test('a removed token and an ended session are gone although that cannot be recorded', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const { id, token } = await lab.createToken(session);
  failRecording(lab);
  await assertFault(await lab.call('DELETE', `/v1/tokens/${id}`, { session }));
  assert.equal((await lab.call('GET', '/v1/me', { token })).status, 401);
  await assertFault(await lab.call('POST', '/v1/sign-out', { session }));
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 401);
});

test('nobody is signed in when that cannot be recorded', async (t) => {
  const lab = openLab(t);
  await lab.signInFirst();
  failRecording(lab);
  const body = { name: 'ada', password: PASSWORD };
  await assertFault(await lab.call('POST', '/v1/sign-in', { body }));
  lab.journal.isReady = false;
  assert.equal((await lab.call('POST', '/v1/sign-in', { body })).status, 503);
});

test('there is no first operator when that cannot be recorded', async (t) => {
  const lab = openLab(t);
  const code = lab.people.renewFirstCode()?.expose() ?? '';
  const body = { code, name: 'ada', password: PASSWORD };
  // While it is known beforehand, the code stays good.
  lab.journal.isReady = false;
  assert.equal((await lab.call('POST', '/v1/sign-in/first', { body })).status, 503);
  lab.journal.isReady = true;
  failRecording(lab);
  await assertFault(await lab.call('POST', '/v1/sign-in/first', { body }));
  assert.notEqual(lab.people.renewFirstCode(), undefined);
});

test('a command is refused at once while nothing can be stored', async (t) => {
  const lab = openLab(t);
  const token = lab.localToken;
  await lab.call('POST', '/v1/devices', { token, body: { id: 'dev-1', class: 'sensor' } });
  lab.journal.isReady = false;
  const body = { name: 'open', body: {} };
  const answer = await lab.call('POST', '/v1/devices/dev-1/commands', { token, body });
  assert.equal(await codeOf(answer), 'E_JOURNAL_UNAVAILABLE');
});

test('a refusal is reported with who, from where and what', async (t) => {
  const lab = openLab(t);
  const { localToken: token } = lab;
  await lab.call('GET', '/v1/devices/absent', { token, address: '::ffff:192.0.2.9' });
  const [report] = lab.reports;
  assert.equal(report?.refusal.code, 'E_OPERATE_NOT_FOUND');
  assert.equal(report?.refusal.detail, 'There is no device absent.');
  const { principal, address, topic } = report ?? {};
  assert.deepEqual([principal, address, topic], ['local', '192.0.2.9', '/v1/devices/absent']);
  await lab.call('GET', `/${'x'.repeat(4_000)}`);
  assert.equal(lab.reports.at(-1)?.topic?.length, 256);
  assert.equal(lab.reports.length, 2);
});
