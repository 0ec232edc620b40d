import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError } from '@holdfast/client';
import {
  type RolloutForecast,
  RolloutPlanSchema,
  type RolloutRequest,
  type RolloutView,
} from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const none = {
  waiting: 0,
  offered: 0,
  downloading: 0,
  staged: 0,
  trial: 0,
  confirmed: 0,
  failed: 0,
  reverted: 0,
  skipped: 0,
  withdrawn: 0,
};

function viewOf(change: Partial<RolloutView> = {}): RolloutView {
  const stages = [{ select: { percent: 10 }, soakMs: 3_600_000 }, { select: { percent: 100 } }];
  const counts = { ...none, waiting: 80, offered: 2, confirmed: 15, reverted: 3 };
  const first = { ...counts, waiting: 0 };
  return {
    id: '5be1c0de',
    release: 'thermo@2.0.0',
    state: 'running',
    stateBy: 'person:ada',
    stateReason: 'go',
    stateAt: '2026-11-21T03:05:06.000Z',
    createdBy: 'person:ada',
    createdAt: '2026-11-21T03:05:06.000Z',
    plan: RolloutPlanSchema.parse({ stages }),
    stage: 0,
    isInWindow: true,
    devices: 100,
    counts,
    stages: [
      { devices: 20, counts: first, overdue: 1, silent: 0 },
      { devices: 0, counts: none, overdue: 0, silent: 0 },
    ],
    reasons: [{ why: 'no connection', count: 3 }],
    ...change,
  };
}

const forecast: RolloutForecast = {
  release: 'thermo@2.0.0',
  devices: 8,
  asked: 2,
  stages: [{ devices: 8, listed: ['t-1', 't-2'] }],
  excluded: [{ code: 'hardware', devices: 1, listed: [{ device: 't-9', why: 't-9 is thermo-b' }] }],
};

describe('rollout start', () => {
  it('drafts and starts what was asked for', async () => {
    const asked: RolloutRequest[] = [];
    const world = new FakeWorld({
      client: {
        draftRollout: (request) => {
          asked.push(request);
          return Promise.resolve(viewOf({ state: 'draft' }));
        },
        startRollout: (id, reason) => {
          assert.deepEqual([id, reason], ['5be1c0de', 'a fix']);
          return Promise.resolve(viewOf());
        },
      },
    });
    const stages = ['--stage', '1%', '--stage', '10%,soak=1h', '--stage', '100%'];
    const rest = ['--window', 'sat 01:00-05:00', '--pause-on', 'failures=2%', '--needs-consent'];
    const reason = ['--reason', 'a fix', '--group', 'north'];
    const code = await world.run('rollout', 'start', 'thermo@2.0.0', ...stages, ...rest, ...reason);
    assert.equal(code, 0, world.errText);
    const [request] = asked;
    assert.equal(request?.plan.stages.length, 3);
    assert.deepEqual(request.plan.groups, ['north']);
    assert.deepEqual(request.plan.pauseOn, { failures: 0.02 });
    assert.equal(request.plan.windows?.[0]?.timeZone, 'Europe/Berlin');
    assert.equal(request.plan.needsConsent, true);
    assert.match(world.outText, /15 of 20 confirmed, 2 in progress, 3 reverted, 1 overdue/);
    assert.match(world.outText, /3 × no connection/);
  });

  it('shows who would get it, and does nothing', async () => {
    const world = new FakeWorld({ client: { planRollout: () => Promise.resolve(forecast) } });
    assert.equal(await world.run('rollout', 'start', 'thermo@2.0.0', '--dry-run'), 0);
    assert.match(world.outText, /8 devices would get thermo@2.0.0/);
    assert.match(world.outText, /1 device would not \(hardware\):\n {2}t-9 is thermo-b/);
  });

  it('starts a draft by its id, which cannot be changed any more', async () => {
    const world = new FakeWorld({ client: { startRollout: () => Promise.resolve(viewOf()) } });
    assert.equal(await world.run('rollout', 'start', '5be1c0de'), 0);
    assert.equal(await world.run('rollout', 'start', '5be1c0de', '--stage', '1%'), 2);
  });

  it('names the draft when the start waits for a second person', async () => {
    const error = new ApiError({ code: 'E_OPERATE_SECOND_PERSON', message: 'waits', fix: 'Ask.' });
    const world = new FakeWorld({
      client: {
        draftRollout: () => Promise.resolve(viewOf({ state: 'draft' })),
        startRollout: () => Promise.reject(error),
      },
    });
    assert.equal(await world.run('rollout', 'start', 'thermo@2.0.0'), 1);
    assert.match(world.errText, /holdfast rollout start 5be1c0de/);
  });
});

describe('rollout list, show and the acts', () => {
  it('lists one line each', async () => {
    const world = new FakeWorld({ client: { rollouts: () => Promise.resolve([viewOf()]) } });
    assert.equal(await world.run('rollout', 'list'), 0);
    assert.match(world.outText, /5be1c0de {2}thermo@2.0.0 {2}running {2}stage 1 of 2/);
  });

  it('shows a bar for each stage, and the next step of a paused one', async () => {
    const paused = viewOf({ state: 'paused', stateBy: 'server', stateReason: 'too many' });
    const world = new FakeWorld({ client: { rollout: () => Promise.resolve(paused) } });
    assert.equal(await world.run('rollout', 'show', '5be1c0de'), 0);
    assert.match(world.outText, /█{18}▒{2}✗{3}·{1}/);
    assert.match(world.outText, /2 {2}100 % {2}·{24} {2}not open yet/);
    assert.match(world.outText, /holdfast rollout resume 5be1c0de/);
  });

  it('follows until it ends', async () => {
    const views = [viewOf(), viewOf({ state: 'finished' })];
    const rollout = () => Promise.resolve(views.shift() ?? assert.fail('asked too often'));
    const world = new FakeWorld({ client: { rollout } });
    assert.equal(await world.run('rollout', 'show', '5be1c0de', '--follow'), 0);
    assert.match(world.outText, /running[\s\S]*finished/);
  });

  it('acts with a reason', async () => {
    const asked: unknown[] = [];
    const actOnRollout = (...args: readonly string[]) => {
      asked.push(args);
      return Promise.resolve(viewOf({ state: 'paused' }));
    };
    const world = new FakeWorld({ client: { actOnRollout } });
    assert.equal(await world.run('rollout', 'pause', '5be1c0de', '--reason', 'calls'), 0);
    assert.equal(await world.run('rollout', 'abort', '5be1c0de'), 0);
    assert.deepEqual(asked, [
      ['5be1c0de', 'pause', 'calls'],
      ['5be1c0de', 'abort', 'abort on the command line'],
    ]);
  });

  it('rolls forward', async () => {
    const forwardRollout = (id: string, request: unknown) => {
      assert.deepEqual([id, request], ['5be1c0de', { release: 'thermo@2.0.1', reason: 'fixed' }]);
      return Promise.resolve(viewOf({ release: 'thermo@2.0.1' }));
    };
    const world = new FakeWorld({ client: { forwardRollout } });
    const args = ['rollout', 'forward', '5be1c0de', 'thermo@2.0.1', '--reason', 'fixed'];
    assert.equal(await world.run(...args), 0);
  });
});
