/** Goal: who looks at a device is told what they may do to it, exactly as the routes decide it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DEVICE_POSSIBLE_ACTS,
  type DeviceRights,
  DeviceRightsSchema,
} from '@holdfast/protocol/api';
import type { Lab } from './lab.testing.ts';
import { STEP_UP_LIFE_MS } from './limits.ts';
import { openPeopleApiLab } from './people-lab.testing.ts';

type Told = Record<string, string>;

/** `yes`, `yes, step-up`, or why not. */
async function told(lab: Lab, session: string): Promise<Told> {
  const answer = await lab.call('GET', '/v1/devices/pump-1/rights', { session });
  assert.equal(answer.status, 200);
  const { acts }: DeviceRights = DeviceRightsSchema.parse(await answer.json());
  assert.deepEqual(
    acts.map(({ act }) => act),
    [...DEVICE_POSSIBLE_ACTS],
  );
  return Object.fromEntries(
    acts.map(({ act, isPossible, needs, why = '' }) => {
      return [act, isPossible ? (needs === 'nothing' ? 'yes' : `yes, ${needs}`) : why];
    }),
  );
}

test('an administrator is told what the state of the device allows', async (t) => {
  const lab = openPeopleApiLab(t);
  const session = await lab.signInFirst();
  await lab.call('POST', '/v1/devices', { session, body: { id: 'pump-1', class: 'sensor' } });
  lab.clock.advance(STEP_UP_LIFE_MS);
  const registered = await told(lab, session);
  assert.equal(registered['command'], 'yes');
  assert.equal(registered['erase'], 'yes, step-up');
  assert.match(registered['quarantine'] ?? '', /^It is registered and cannot be quarantined/u);
  assert.match(registered['release'] ?? '', /^It is registered and cannot be released/u);
  lab.registry.changeState('pump-1', { act: 'enroll', by: 'pump-1', reason: 'a claim' });
  lab.registry.changeState('pump-1', { act: 'quarantine', by: 'server', reason: 'a finding' });
  const quarantined = await told(lab, session);
  assert.equal(quarantined['release'], 'yes, step-up');
  assert.match(quarantined['quarantine'] ?? '', /^It is quarantined and cannot be/u);
  assert.equal(quarantined['claim'], 'It is quarantined and gets no claim.');
});

test('a viewer is told that the right is missing', async (t) => {
  const lab = openPeopleApiLab(t);
  const session = await lab.signInFirst();
  await lab.call('POST', '/v1/devices', { session, body: { id: 'pump-1', class: 'sensor' } });
  const viewer = await lab.join('vera', 'viewer');
  const rights = await told(lab, viewer.session);
  const answer = await lab.call('GET', '/v1/devices/pump-1/rights', { session: viewer.session });
  const { reads }: DeviceRights = DeviceRightsSchema.parse(await answer.json());
  assert.deepEqual(reads, { refusals: false, policy: false });
  for (const why of Object.values(rights)) {
    assert.match(why, /^The role viewer does not permit [a-z:-]+ here\.$/u);
  }
});
