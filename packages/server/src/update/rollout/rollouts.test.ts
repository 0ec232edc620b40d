import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import {
  FakeWorld,
  RELEASE,
  fakeRelease,
  idsOf,
  made,
  percentStages,
  planOf,
} from './lab.testing.ts';

const OLD = 'thermostat@1.0.0';
const NEW = 'thermostat@2.1.0';
const ada = { by: 'person:ada', reason: 'so it is' };

function codeOf(value: unknown): string {
  return value instanceof Refusal ? `${value.code}: ${value.detail}` : 'no refusal';
}

describe('a rollout in a server', () => {
  it('brings the release to all devices, stage by stage, and puts its steps on the log', async () => {
    const world = new FakeWorld(idsOf(20));
    const id = await world.start(planOf({ stages: percentStages(10, 100) }));
    await world.advance();
    assert.equal([...world.named.values()].filter((one) => one === RELEASE).length, 2);
    for (let round = 0; round < 4; round += 1) {
      for (const [device, release] of world.named) {
        if (release === RELEASE) world.report(device, 'confirmed');
      }
      await world.advance(2);
    }
    assert.equal(world.rollout(id).head.state, 'finished');
    assert.ok([...world.named.values()].every((one) => one === RELEASE));
    const steps = world.acts.map(({ action, principal }) => `${principal} ${action}`);
    assert.deepEqual(steps, ['server rollout.open-stage', 'server rollout.finish']);
  });

  it('gives a failed device back what it ran, and pauses with the figures on the log', async () => {
    const world = new FakeWorld(idsOf(10));
    const id = await world.start(planOf({ pauseOn: { failures: 0.1 } }));
    await world.advance();
    world.report('t-1', 'reverted');
    world.report('t-2', 'failed');
    await world.advance(2);
    assert.equal(world.rollout(id).head.state, 'paused');
    assert.equal(world.named.get('t-1'), OLD);
    assert.equal(world.named.get('t-3'), OLD, 'it had not begun');
    const [act] = world.acts;
    assert.equal(act?.action, 'rollout.pause');
    assert.equal(act?.principal, 'server');
    assert.deepEqual(act?.facts?.['failed'], 1);
  });

  it('tells the director nothing that is not on the log', async () => {
    const world = new FakeWorld(idsOf(4));
    const stages = percentStages(25, 100);
    const id = await world.start(planOf({ stages }));
    await world.advance();
    world.isJournalFailing = true;
    const [first = ''] = [...world.named].find(([, release]) => release === RELEASE) ?? [];
    world.report(first, 'confirmed');
    await world.advance(5);
    assert.equal(world.rollout(id).head.stage, 1);
    assert.equal([...world.named.values()].filter((one) => one === RELEASE).length, 1);
    world.isJournalFailing = false;
    await world.advance(2);
    assert.ok([...world.named.values()].every((one) => one === RELEASE));
  });

  it('offers it to devices that come later, and have the hardware', async () => {
    const world = new FakeWorld(idsOf(2));
    await world.start(planOf());
    await world.advance();
    world.add('late');
    world.add('other', { hardware: 'thermo-b' });
    await world.advance(62);
    assert.equal(world.named.get('late'), RELEASE);
    assert.equal(world.named.get('other'), OLD);
  });

  it('uses what it brings and may go back to, until nothing is to be done any more', async () => {
    const world = new FakeWorld(idsOf(2));
    assert.deepEqual([...world.rollouts.releasesInUse()], []);
    const id = await world.start(planOf());
    assert.ok(world.rollouts.releasesInUse().has(RELEASE), 'before anything is offered');
    await world.advance();
    assert.deepEqual([...world.rollouts.releasesInUse()].toSorted(), [OLD, RELEASE]);
    made(world.rollouts.act(id, 'abort', ada));
    assert.ok(world.rollouts.releasesInUse().has(OLD), 'devices are to go back to it');
    await world.advance(3);
    assert.ok([...world.named.values()].every((one) => one === OLD));
    assert.deepEqual([...world.rollouts.releasesInUse()], []);
  });
});

describe('one device, one rollout', () => {
  it('refuses a second one, and says how to go on', async () => {
    const world = new FakeWorld(idsOf(4));
    world.releases.set(NEW, fakeRelease(NEW));
    const first = await world.start(planOf());
    const draft = made(world.rollouts.draft({ release: NEW, plan: planOf(), by: 'local' }));
    const refused = codeOf(await world.begin(draft.id));
    assert.match(refused, /^E_OPERATE_CONFLICT: 4 device.*--supersede/);
    assert.match(refused, new RegExp(first));
  });

  it('takes over what waits with --supersede, and not what is at work', async () => {
    const world = new FakeWorld(idsOf(4));
    world.releases.set(NEW, fakeRelease(NEW));
    const first = await world.start(planOf());
    await world.advance();
    world.report('t-1', 'downloading');
    const second = await world.start(planOf({ supersedes: true }), NEW);
    await world.advance(2);
    assert.equal(world.count(first, 'withdrawn'), 3);
    assert.equal(world.named.get('t-0'), NEW);
    assert.equal(world.named.get('t-1'), RELEASE);
    world.report('t-1', 'confirmed');
    await world.advance(62);
    assert.equal(world.named.get('t-1'), NEW, 'it joins when it is done');
    assert.equal(world.rollout(second).devices.get('t-1')?.before, RELEASE);
  });
});

describe('rolling forward', () => {
  it('takes over the devices of a paused rollout, those that failed as well', async () => {
    const world = new FakeWorld(idsOf(10));
    world.releases.set(NEW, fakeRelease(NEW));
    const id = await world.start(planOf({ pauseOn: { failures: 0 } }));
    await world.advance();
    world.report('t-1', 'confirmed');
    world.report('t-2', 'reverted');
    await world.advance(2);
    const next = made(world.rollouts.draftForward(id, { release: NEW, by: 'person:ada' }));
    const right = (): 'update' => 'update';
    const forward = { to: next.id, right, ...ada };
    made(await world.rollouts.forward(id, forward, () => Promise.resolve()));
    await world.advance(2);
    assert.equal(world.rollout(id).head.state, 'aborted');
    assert.equal(world.rollout(id).head.forwardedTo, next.id);
    assert.ok([...world.named.values()].every((release) => release === NEW));
    assert.equal(world.rollout(next.id).devices.get('t-1')?.before, RELEASE);
    assert.equal(world.rollout(next.id).devices.get('t-2')?.before, OLD);
  });

  it('goes to a newer release only, and from a paused rollout only', async () => {
    const world = new FakeWorld(idsOf(2));
    const id = await world.start(planOf());
    const draft = (release: string): string =>
      codeOf(world.rollouts.draftForward(id, { release, by: 'local' }));
    assert.match(draft(NEW), /only a paused one/);
    made(world.rollouts.act(id, 'pause', ada));
    assert.match(draft(OLD), /is not newer/);
    assert.match(draft(NEW), /E_OPERATE_NOT_FOUND/);
  });
});

describe('a dry run', () => {
  it('lists who would get it, the very ones, and why the others would not', async () => {
    const world = new FakeWorld(idsOf(10));
    world.releases.set(RELEASE, fakeRelease(RELEASE, { counter: 5, minimumVersion: '1.0.0' }));
    const known = { running: { release: OLD, counter: 1 } };
    for (const id of idsOf(10)) world.add(id, known);
    world.add('blank', { hardware: undefined });
    world.add('wrong', { hardware: 'thermo-b' });
    world.add('ahead', { running: { release: OLD, counter: 6 } });
    world.add('old', { running: { release: 'thermostat@0.9.0', counter: 1 } });
    world.add('sick', { ...known, state: 'quarantined' });
    world.add('gone', { ...known, state: 'retired' });
    world.add('done', { running: { release: RELEASE, counter: 5 } });
    world.add('mine', known);
    world.add('hidden', known);
    const wish = {
      release: RELEASE,
      plan: planOf({ stages: percentStages(20, 100) }),
      by: 'local',
    };
    const forecast = made(
      world.rollouts.forecast(wish, ({ id }) =>
        id === 'hidden' ? 'none' : id === 'mine' ? 'read' : 'update',
      ),
    );
    assert.deepEqual(
      forecast.stages.map(({ devices }) => devices),
      [2, 8],
    );
    const excluded = forecast.excluded.map(({ code, listed }) => [code, listed[0]?.device]);
    assert.deepEqual(Object.fromEntries(excluded), {
      'hardware-unknown': 'blank',
      hardware: 'wrong',
      counter: 'ahead',
      'minimum-version': 'old',
      quarantined: 'sick',
      state: 'gone',
      'runs-it': 'done',
      forbidden: 'mine',
    });
    for (const id of ['mine', 'hidden']) world.fleet.delete(id);
    const id = await world.start(wish.plan);
    await world.advance();
    const offered = [...world.rollout(id).devices.values()].filter((one) => one.stage === 0);
    const first = offered.map(({ device }) => device);
    assert.deepEqual(first.sort(), forecast.stages[0]?.listed.toSorted());
  });

  it('refuses an unknown release and an unknown time zone', () => {
    const world = new FakeWorld(idsOf(1));
    const window = { days: [1], fromMinute: 0, toMinute: 60, timeZone: 'Mars/Base' };
    const forecast = (release: string, plan = planOf()): string =>
      codeOf(world.rollouts.forecast({ release, plan, by: 'local' }, () => 'update'));
    assert.match(forecast('x@1'), /E_OPERATE_NOT_FOUND/);
    assert.match(forecast(RELEASE, planOf({ windows: [window] })), /Mars/);
  });

  it('refuses to start what no device would get, or with a stage that is a mistake', async () => {
    const world = new FakeWorld(['t-1']);
    const stages = [{ select: { group: 'labb' } }, { select: { percent: 100 } }];
    const draft = made(
      world.rollouts.draft({ release: RELEASE, plan: planOf({ stages }), by: 'local' }),
    );
    assert.match(codeOf(await world.begin(draft.id)), /Stage 1 would reach no device/);
    world.add('t-1', { hardware: undefined });
    assert.match(codeOf(await world.begin(draft.id)), /set-hardware t-1/);
  });
});

describe('a server that is killed', () => {
  it('carries out what it had recorded, and did not come to', async () => {
    const world = new FakeWorld(idsOf(5));
    const id = await world.start(planOf());
    const never = new Promise<void>(() => {});
    world.beforeAssign = () => never;
    await world.advance();
    assert.equal(world.count(id, 'offered'), 5);
    world.crash();
    world.beforeAssign = () => {};
    world.open();
    await world.advance(0);
    assert.ok([...world.named.values()].every((release) => release === OLD || release === RELEASE));
    await world.advance();
    assert.ok([...world.named.values()].every((release) => release === RELEASE));
  });

  it('hears again of reports that were taken just before', async () => {
    const world = new FakeWorld(idsOf(5));
    const id = await world.start(planOf());
    await world.advance();
    for (const device of idsOf(5)) world.report(device, 'confirmed');
    world.crash();
    world.open();
    assert.equal(world.count(id, 'confirmed'), 5);
  });

  it('holds a pause that the disk did not take, and tries again', async () => {
    const world = new FakeWorld(idsOf(5));
    const id = await world.start(planOf());
    await world.advance();
    world.disk.isFailing = true;
    assert.throws(() => world.rollouts.act(id, 'pause', ada), /disk fails/);
    assert.equal(world.rollout(id).head.state, 'paused');
    assert.throws(() => world.rollouts.act(id, 'resume', ada), /disk fails/);
    assert.equal(world.rollout(id).head.state, 'paused');
    world.disk.isFailing = false;
    await world.advance(2);
    world.crash();
    world.open();
    assert.equal(world.rollout(id).head.state, 'paused');
    await world.advance();
    assert.ok([...world.named.values()].every((release) => release === OLD));
  });
});
