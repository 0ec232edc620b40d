/**
 * Goal: a device goes only where its life cycle leads. Method: every act in every state, against a
 * table that is written out here; then walks of any length.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import { DEVICE_STATES, type Device, type DeviceState } from './device-records.ts';
import { LIFE_CYCLE, type LifeCycleAct, changed } from './life-cycle.ts';

const ACTS = Object.keys(LIFE_CYCLE) as LifeCycleAct[];

function device(state: DeviceState, statesBefore: DeviceState[] = []): Device {
  return {
    id: 'pump-1',
    class: 'sensor',
    group: 'north',
    state,
    stateReason: 'a leak',
    stateBy: 'person:ada',
    stateAtMs: 1,
    statesBefore,
    createdAtMs: 0,
    contentKeyRef: 1,
    formerContentKeyRefs: [],
    payloadKeyGeneration: 1,
    isPayloadKeyInUse: true,
  };
}

function after(from: Device, act: LifeCycleAct): Device | Refusal {
  return changed(from, { act, by: 'person:eve', reason: 'found' }, 2);
}

/** Where each act leads from each state; what is not here is refused. */
const EXPECTED: Readonly<Record<DeviceState, Partial<Record<LifeCycleAct, DeviceState>>>> = {
  registered: { enroll: 'claimed', revoke: 'revoked', retire: 'retired' },
  claimed: {
    enroll: 'claimed',
    activate: 'active',
    quarantine: 'quarantined',
    suspend: 'suspended',
    revoke: 'revoked',
    retire: 'retired',
  },
  active: {
    enroll: 'claimed',
    quarantine: 'quarantined',
    suspend: 'suspended',
    revoke: 'revoked',
    retire: 'retired',
  },
  quarantined: { release: 'active', revoke: 'revoked', retire: 'retired' },
  suspended: {
    resume: 'active',
    quarantine: 'quarantined',
    revoke: 'revoked',
    retire: 'retired',
  },
  revoked: { readmit: 'registered', retire: 'retired' },
  retired: {},
};

for (const state of DEVICE_STATES) {
  for (const act of ACTS) {
    const to = EXPECTED[state][act];
    test(`${act} of a device that is ${state}: ${to ?? 'refused [E_OPERATE_CONFLICT]'}`, () => {
      const isStopped = state === 'quarantined' || state === 'suspended';
      const before = device(state, isStopped ? ['active'] : []);
      const result = after(before, act);
      if (to === undefined) {
        assert.ok(result instanceof Refusal);
        assert.equal(result.code, 'E_OPERATE_CONFLICT');
        assert.match(result.detail, new RegExp(`^pump-1 is ${state} \\(a leak\\) and cannot be `));
        return;
      }
      assert.ok(!(result instanceof Refusal));
      const { state: now, stateReason, stateBy, stateAtMs } = result;
      assert.deepEqual([now, stateReason, stateBy, stateAtMs], [to, 'found', 'person:eve', 2]);
      const { group, createdAtMs } = result;
      assert.deepEqual([group, createdAtMs], ['north', 0], 'nothing else changes');
    });
  }
}

test('quarantine of a suspended device is not undone by resuming it', () => {
  const walk = (from: Device, ...acts: LifeCycleAct[]): Device | Refusal =>
    acts.reduce<Device | Refusal>((at, act) => (at instanceof Refusal ? at : after(at, act)), from);
  const stopped = walk(device('claimed'), 'suspend', 'quarantine');
  assert.ok(!(stopped instanceof Refusal));
  assert.ok(after(stopped, 'resume') instanceof Refusal);
  const released = after(stopped, 'release');
  assert.equal(released instanceof Refusal ? released : released.state, 'suspended');
  const resumed = walk(stopped, 'release', 'resume');
  assert.equal(resumed instanceof Refusal ? resumed : resumed.state, 'claimed');
});

test('a device that was stopped before that was noted has to connect anew', () => {
  const released = after(device('quarantined'), 'release');
  assert.equal(released instanceof Refusal ? released : released.state, 'claimed');
});

test('no walk leaves quarantine but by release, revoke or retire, or comes back from retired', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...ACTS), { maxLength: 40 }), (acts) => {
      let now = device('registered');
      for (const act of acts) {
        const next = after(now, act);
        if (next instanceof Refusal) continue;
        assert.notEqual(now.state, 'retired');
        if (now.state === 'quarantined') assert.match(act, /^(?:release|revoke|retire)$/);
        assert.ok(next.statesBefore.length <= 2);
        const isStopped = next.state === 'quarantined' || next.state === 'suspended';
        assert.equal(next.statesBefore.length > 0, isStopped);
        now = next;
      }
    }),
  );
});
