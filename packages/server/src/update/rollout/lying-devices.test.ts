/** What a device can do to a rollout by what it reports. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeWorld, RELEASE, RolloutLab, idsOf, percentStages, planOf } from './lab.testing.ts';

const OLD = 'thermostat@1.0.0';
const ada = { by: 'person:ada', reason: 'so it is' };

describe('a device that lies', () => {
  it('gets no release by saying that it runs it before it was offered', async () => {
    const world = new FakeWorld(idsOf(10));
    const id = await world.start(planOf({ stages: percentStages(10, 100) }));
    await world.advance();
    const [liar = ''] = [...world.named].find(([, release]) => release === OLD) ?? [];
    world.report(liar, 'confirmed');
    await world.advance(2);
    assert.equal(world.named.get(liar), OLD);
    assert.equal(world.rollout(id).devices.get(liar)?.state, 'waiting');
    world.rollouts.act(id, 'abort', ada);
    world.report(liar, 'confirmed');
    await world.advance(2);
    assert.equal(world.named.get(liar), OLD, 'nor from a rollout that was ended');
  });

  it('comes to an end, whatever it goes on to say: each change is an entry of the log', async () => {
    const world = new FakeWorld(idsOf(4));
    await world.start(planOf({ pauseOn: { failures: 1 } }));
    await world.advance();
    let assignments = 0;
    world.beforeAssign = () => void (assignments += 1);
    for (let round = 0; round < 20; round += 1) {
      for (const state of ['failed', 'confirmed', 'reverted'] as const) {
        world.report('t-1', state);
        await world.advance();
      }
    }
    assert.ok(assignments <= 3, `${assignments} assignments`);
    assert.equal(world.named.get('t-1'), OLD);
  });

  it('counts as one device, how often it may fail', () => {
    const lab = new RolloutLab(planOf({ pauseOn: { failures: 0.05 } })).start(idsOf(20)).tick();
    for (let round = 0; round < 5; round += 1) {
      lab.report('t-1', 'failed').report('t-1', 'reverted').report('t-1', 'failed');
    }
    assert.equal(lab.tick().state.head.state, 'running');
    lab.report('t-2', 'failed');
    assert.equal(lab.state.head.state, 'paused');
  });

  it('is believed when it comes back from a failure, once', () => {
    const lab = new RolloutLab(planOf({ pauseOn: { failures: 1 } })).start(idsOf(4)).tick();
    lab.report('t-1', 'failed').report('t-1', 'confirmed');
    assert.deepEqual(lab.in('confirmed'), ['t-1']);
    lab.report('t-1', 'reverted').report('t-1', 'confirmed');
    assert.deepEqual(lab.in('reverted'), ['t-1'], 'late news of before it went back');
  });
});

describe('a second rollout of the same release', () => {
  it('does not take for its own what a device has told of the first one', async () => {
    const world = new FakeWorld(idsOf(4));
    const first = await world.start(planOf({ pauseOn: { failures: 0 } }));
    await world.advance();
    for (const device of idsOf(4)) world.report(device, 'failed');
    await world.advance(2);
    world.rollouts.act(first, 'abort', ada);
    const second = await world.start(planOf({ pauseOn: { failures: 0 } }));
    await world.advance();
    assert.equal(world.count(second, 'offered'), 4);
    world.crash();
    world.open();
    await world.advance(2);
    assert.equal(world.rollout(second).head.state, 'running');
    assert.equal(world.count(second, 'offered'), 4);
    assert.equal(world.named.get('t-1'), RELEASE);
  });
});
