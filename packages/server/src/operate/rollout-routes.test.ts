import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RolloutForecast, RolloutView } from '@holdfast/protocol/api';
import { fakeRelease } from '../update/rollout/lab.testing.ts';
import { type Lab, codeOf, openLab, present } from './lab.testing.ts';

const RELEASE = 'thermo@2.0.0';
const plan = { stages: [{ select: { percent: 50 } }, { select: { percent: 100 } }] };

function openFleet(t: Parameters<typeof openLab>[0]): Lab {
  const lab = openLab(t);
  lab.rolledOut.set(RELEASE, fakeRelease(RELEASE));
  for (const id of ['t-1', 't-2', 't-3', 't-4']) {
    present(lab.registry.add({ id, class: 'sensor', group: id === 't-4' ? 'south' : 'north' }));
    present(lab.registry.changeState(id, { act: 'enroll', by: 'local', reason: 'x' }));
  }
  lab.registry.setHardware(['t-1', 't-2', 't-4'], 'thermo-a');
  lab.deps.rollouts.open();
  return lab;
}

async function draft(lab: Lab, token = lab.localToken): Promise<RolloutView> {
  const body = { release: RELEASE, plan };
  const answer = await lab.call('POST', '/v1/rollouts', { token, body });
  assert.equal(answer.status, 201);
  return (await answer.json()) as RolloutView;
}

test('a rollout is planned, started, paused, resumed and aborted, each on the log', async (t) => {
  const lab = openFleet(t);
  const token = lab.localToken;
  const body = { release: RELEASE, plan };
  const planned = await lab.call('POST', '/v1/rollouts/plan', { token, body });
  const forecast = (await planned.json()) as RolloutForecast;
  assert.equal(forecast.devices, 3);
  assert.deepEqual(
    forecast.excluded.map(({ code, devices }) => [code, devices]),
    [['hardware-unknown', 1]],
  );
  assert.equal(lab.recorded.length, 0, 'nothing is done');
  const { id, state } = await draft(lab);
  assert.equal(state, 'draft');
  const reason = 'it is time';
  for (const [act, becomes] of [
    ['start', 'running'],
    ['pause', 'paused'],
    ['resume', 'running'],
    ['abort', 'aborted'],
  ] as const) {
    const path = `/v1/rollouts/${id}/${act}`;
    const answer = await lab.call('POST', path, { token, body: { reason } });
    assert.equal(answer.status, 200, act);
    assert.equal(((await answer.json()) as RolloutView).state, becomes);
  }
  const again = await lab.call('POST', `/v1/rollouts/${id}/resume`, { token, body: { reason } });
  assert.equal(await codeOf(again), 'E_OPERATE_CONFLICT');
  const acts = lab.recorded.map(({ action, target }) => [action, target === id]);
  const done = ['draft', 'start', 'pause', 'resume', 'abort'];
  assert.deepEqual(
    acts,
    done.map((act) => [`rollout.${act}`, true]),
  );
  assert.equal(lab.recorded[1]?.facts?.['devices'], 3);
});

test('what is not on the log does not begin', async (t) => {
  const lab = openFleet(t);
  const { id } = await draft(lab);
  lab.journal.isReady = false;
  const body = { reason: 'x' };
  const token = lab.localToken;
  const answer = await lab.call('POST', `/v1/rollouts/${id}/start`, { token, body });
  assert.equal(await codeOf(answer), 'E_JOURNAL_UNAVAILABLE');
  assert.equal(present(lab.deps.rollouts.byId(id)).head.state, 'draft');
});

test('the start waits for a second person where the policy asks for one', async (t) => {
  const lab = openFleet(t);
  const token = lab.localToken;
  const { text } = (await (await lab.call('GET', '/v1/policy', { token })).json()) as {
    text: string;
  };
  const rule = `${text}
@id("second person")
forbid (
  principal,
  action in
    [Action::"person:manage", Action::"oidc:manage", Action::"policy:set", Action::"rollout:start"],
  resource
)
unless { context.secondPerson };`;
  const set = await lab.call('POST', '/v1/policy', { token, body: { text: rule, reason: 'two' } });
  assert.equal(set.status, 201);
  const { id } = await draft(lab);
  const path = `/v1/rollouts/${id}/start`;
  const start = () => lab.call('POST', path, { token, body: { reason: 'go' } });
  assert.equal(await codeOf(await start()), 'E_OPERATE_SECOND_PERSON');
  assert.equal(present(lab.deps.rollouts.byId(id)).head.state, 'waiting-approval');
  assert.equal(await codeOf(await start()), 'E_OPERATE_SECOND_PERSON');
  const { approvals } = (await (await lab.call('GET', '/v1/approvals', { token })).json()) as {
    approvals: { id: string }[];
  };
  assert.equal(approvals.length, 1);
  const approve = `/v1/approvals/${approvals[0]?.id ?? ''}/approve`;
  const own = await lab.call('POST', approve, { token });
  assert.equal(own.status, 404, 'nobody approves their own');
  assert.equal(lab.recorded.filter(({ action }) => action === 'rollout.start').length, 0);
});

test('inputs that are none are refused', async (t) => {
  const lab = openFleet(t);
  const token = lab.localToken;
  for (const body of [
    { release: 'thermo', plan },
    { release: RELEASE, plan: { stages: [] } },
    { release: RELEASE, plan: { stages: [{ select: { percent: 0 } }] } },
    { release: RELEASE, plan: { stages: [{ select: { percent: 101 } }] } },
    { release: RELEASE, plan: { ...plan, pauseOn: { failures: 1.1 } } },
    { release: RELEASE, plan: { ...plan, more: 1 } },
  ]) {
    const answer = await lab.call('POST', '/v1/rollouts', { token, body });
    assert.equal(await codeOf(answer), 'E_OPERATE_INPUT', JSON.stringify(body));
  }
  const absent = await lab.call('GET', '/v1/rollouts/00000000', { token });
  assert.equal(await codeOf(absent), 'E_OPERATE_NOT_FOUND');
});

test('devices of a rollout are listed a page at a time', async (t) => {
  const lab = openFleet(t);
  const token = lab.localToken;
  const { id } = await draft(lab);
  await lab.call('POST', `/v1/rollouts/${id}/start`, { token, body: { reason: 'go' } });
  const page = async (query: string) => {
    const answer = await lab.call('GET', `/v1/rollouts/${id}/devices?${query}`, { token });
    const { devices, next } = (await answer.json()) as {
      devices: { device: string }[];
      next?: string;
    };
    return [devices.map(({ device }) => device), next];
  };
  assert.deepEqual(await page('limit=2'), [['t-1', 't-2'], 't-2']);
  assert.deepEqual(await page('limit=2&after=t-2'), [['t-4'], undefined]);
  assert.deepEqual(await page('state=confirmed'), [[], undefined]);
});

test('what a device is, is said on the log first, and decides what it gets', async (t) => {
  const lab = openFleet(t);
  const token = lab.localToken;
  const path = '/v1/devices/t-3/set-hardware';
  for (const hardware of ['', 'Thermo', '-a', 'a'.repeat(33)]) {
    const refused = await lab.call('POST', path, { token, body: { hardware, reason: 'x' } });
    assert.equal(await codeOf(refused), 'E_OPERATE_INPUT', hardware);
  }
  const body = { hardware: 'thermo-a', reason: 'its label' };
  const answer = await lab.call('POST', path, { token, body });
  const { device } = (await answer.json()) as { device: { hardware: string } };
  assert.equal(device.hardware, 'thermo-a');
  assert.equal(lab.recorded[0]?.action, 'device.set-hardware');
  const plan = { stages: [{ select: { percent: 100 } }] };
  const request = { token, body: { release: RELEASE, plan } };
  const planned = await lab.call('POST', '/v1/rollouts/plan', request);
  assert.equal(((await planned.json()) as RolloutForecast).devices, 4);
});
