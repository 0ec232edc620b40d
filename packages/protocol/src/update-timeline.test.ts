import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DEVICE_UPDATE_STATE_LIST, type DeviceUpdateStep } from './api.ts';
import { UPDATE_STATE_WORDS, updateStepWords, updateStories } from './update-timeline.ts';

const ONE = 'thermo@1.0.0';
const TWO = 'thermo@2.0.0';

type Told = Extract<DeviceUpdateStep, { what: 'told' }>;
type Assigned = Extract<DeviceUpdateStep, { what: 'assigned' }>;

const at = '2026-11-21T10:00:00.000Z';
const told = (release: string, state: Told['state'], why?: string): Told => {
  return { what: 'told', at, release, state, ...(why !== undefined && { why }) };
};
const assigned = (release: string | undefined, more: Partial<Assigned> = {}): Assigned => {
  return { what: 'assigned', at, by: 'server', ...(release !== undefined && { release }), ...more };
};
const agreed: DeviceUpdateStep = { what: 'agreed', at, by: 'app:ada.1' };

/** The stories of steps that are given oldest first, in words. */
function words(...steps: DeviceUpdateStep[]): string[][] {
  return updateStories(steps.toReversed()).map((story) => {
    const ofSteps = story.steps.map((step) => updateStepWords(step, story));
    return [story.release ?? 'none'].concat(ofSteps);
  });
}

test('each update is told from its assignment to its end, the newest first', () => {
  const found = words(
    assigned(ONE),
    told(ONE, 'downloading'),
    told(ONE, 'confirmed'),
    agreed,
    assigned(TWO, { before: ONE }),
    told(TWO, 'trial'),
  );
  assert.deepEqual(found, [
    [TWO, 'The owner agreed', 'Assigned', 'On trial'],
    [ONE, 'Assigned', 'Downloading', 'Confirmed'],
  ]);
});

test('what ran before is named again as a part of the update that failed', () => {
  const found = words(
    assigned(TWO, { before: ONE }),
    told(TWO, 'downloading'),
    told(TWO, 'reverted', 'no connection'),
    assigned(ONE, { before: TWO }),
  );
  assert.deepEqual(found, [
    [TWO, 'Assigned', 'Downloading', 'Went back to the slot before', `Told to run ${ONE} again`],
  ]);
  assert.deepEqual(words(assigned(TWO, { before: ONE }), assigned(ONE, { before: TWO })), [
    [ONE, 'Assigned'],
    [TWO, 'Assigned'],
  ]);
  assert.deepEqual(words(assigned(TWO), assigned(undefined, { before: TWO })), [
    [TWO, 'Assigned', 'Taken back: it is to stay as it is'],
  ]);
});

test('what is told late stands with the update that it is about', () => {
  const found = words(
    assigned(ONE),
    told(ONE, 'trial'),
    assigned(TWO, { before: ONE }),
    told(ONE, 'reverted'),
    told(TWO, 'downloading'),
  );
  assert.deepEqual(found, [
    [TWO, 'Assigned', 'Downloading'],
    [ONE, 'Assigned', 'On trial', 'Went back to the slot before'],
  ]);
});

test('who failed and begins again begins another update; who confirmed may go back yet', () => {
  assert.deepEqual(words(told(ONE, 'downloading'), told(ONE, 'failed'), told(ONE, 'downloading')), [
    [ONE, 'Downloading'],
    [ONE, 'Downloading', 'Failed'],
  ]);
  assert.deepEqual(words(told(ONE, 'confirmed'), told(ONE, 'reverting'), told(ONE, 'reverted')), [
    [ONE, 'Confirmed', 'Going back to the slot before', 'Went back to the slot before'],
  ]);
});

test('what a device gave up before it began was refused', () => {
  assert.deepEqual(words(assigned(TWO), told(TWO, 'failed', 'a lower counter')), [
    [TWO, 'Assigned', 'Refused by the device'],
  ]);
  assert.deepEqual(words(told(TWO, 'downloading'), told(TWO, 'failed')), [
    [TWO, 'Downloading', 'Failed'],
  ]);
});

test('every state has words, and no step is lost, whatever their order', () => {
  assert.deepEqual(Object.keys(UPDATE_STATE_WORDS), [...DEVICE_UPDATE_STATE_LIST]);
  const release = fc.constantFrom(ONE, TWO);
  const step = fc.oneof(
    fc.tuple(release, fc.constantFrom(...DEVICE_UPDATE_STATE_LIST)).map((one) => told(...one)),
    fc
      .tuple(fc.option(release, { nil: undefined }), release)
      .map(([next, before]) => assigned(next, { before })),
    fc.constant(agreed),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const stories = updateStories(steps);
      const kept = stories.flatMap((story) => story.steps);
      assert.equal(kept.length, steps.length);
      assert.ok(steps.every((one) => kept.includes(one)));
      for (const story of stories) {
        for (const one of story.steps) assert.notEqual(updateStepWords(one, story), '');
      }
    }),
  );
});
