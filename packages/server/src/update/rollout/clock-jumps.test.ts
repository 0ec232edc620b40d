/** A clock that is set back, or forward, while rollouts run. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeWorld, RELEASE, fakeRelease, idsOf, made, planOf } from './lab.testing.ts';
import { WATCHED_MS_MIN } from './limits.ts';

const NEW = 'thermostat@2.1.0';
const DAY_MS = 86_400_000;

describe('a clock that was set back', () => {
  it('leaves the newer of two rollouts the newer one', async () => {
    const world = new FakeWorld(idsOf(4));
    world.releases.set(NEW, fakeRelease(NEW));
    const first = await world.start(planOf());
    await world.advance();
    for (const device of idsOf(4)) world.report(device, 'confirmed');
    await world.advance(2);
    assert.equal(world.rollout(first).head.state, 'finished');
    world.clock.set(-DAY_MS);
    const second = await world.start(planOf(), NEW);
    await world.advance(2);
    assert.ok([...world.named.values()].every((release) => release === NEW));
    assert.equal(world.rollouts.all()[0]?.head.id, second);
    world.crash();
    world.open();
    assert.equal(world.rollouts.all()[0]?.head.id, second, 'newest first, after a restart as well');
  });

  it('does not stand in the way of the next rollout', async () => {
    const world = new FakeWorld(idsOf(1));
    const draft = (): string =>
      made(world.rollouts.draft({ release: RELEASE, plan: planOf(), by: 'local' })).id;
    const ids = [draft()];
    world.clock.set(-DAY_MS);
    ids.push(draft());
    world.crash();
    world.open();
    ids.push(draft(), draft());
    assert.equal(new Set(ids).size, 4);
  });
});

describe('a soak time', () => {
  const stages = [{ select: { count: 1 }, soakMs: DAY_MS }, { select: { percent: 100 } }];
  const soaking = async (): Promise<{ world: FakeWorld; id: string }> => {
    const world = new FakeWorld(idsOf(4));
    const id = await world.start(planOf({ stages }));
    await world.advance();
    const [first = ''] = [...world.named].find(([, release]) => release === RELEASE) ?? [];
    world.report(first, 'confirmed');
    await world.advance(3);
    return { world, id };
  };

  it('is not over before the devices could tell what went wrong while the server was away', async () => {
    const { world, id } = await soaking();
    world.crash();
    world.clock.ms += 2 * DAY_MS;
    world.open();
    await world.advance(5);
    assert.equal(world.rollout(id).head.stage, 0);
    await world.advance(WATCHED_MS_MIN / 1_000);
    assert.equal(world.rollout(id).head.stage, 1);
  });

  it('is not over because somebody has set the clock forward', async () => {
    const { world, id } = await soaking();
    world.clock.set(2 * DAY_MS);
    await world.advance(WATCHED_MS_MIN / 1_000 - 1);
    assert.equal(world.rollout(id).head.stage, 0);
    await world.advance(3);
    assert.equal(world.rollout(id).head.stage, 1);
  });

  it('that is short is waited for, and no longer', async () => {
    const world = new FakeWorld(idsOf(4));
    const short = [{ select: { count: 1 }, soakMs: 5_000 }, { select: { percent: 100 } }];
    const id = await world.start(planOf({ stages: short }));
    await world.advance();
    for (const [device, release] of world.named) {
      if (release === RELEASE) world.report(device, 'confirmed');
    }
    await world.advance(4);
    assert.equal(world.rollout(id).head.stage, 0);
    await world.advance(4);
    assert.equal(world.rollout(id).head.stage, 1);
  });
});
