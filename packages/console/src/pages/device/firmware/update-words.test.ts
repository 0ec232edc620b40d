/** Goal: the word beside an update says how it stands, and never that a failed one is well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { updateStories } from '@holdfast/protocol';
import { DEVICE_UPDATE_STATE_LIST, type DeviceUpdateStep } from '@holdfast/protocol/api';
import { stepTimes, stepTone, storyBadge, tookText, whyOf } from './update-words.ts';

const release = 'thermo@1.0.0';
const at = (second: number): string => new Date(1_763_700_000_000 + second * 1_000).toISOString();
const assigned: DeviceUpdateStep = { what: 'assigned', at: at(0), release, by: 'server' };
type Told = Extract<DeviceUpdateStep, { what: 'told' }>;
const told = (state: Told['state'], second: number): DeviceUpdateStep => {
  return { what: 'told', at: at(second), release, state };
};

/** The story of steps that are given oldest first. */
function story(...steps: DeviceUpdateStep[]) {
  return updateStories(steps.toReversed())[0] ?? assert.fail('there is none');
}

test('each state has a word of its own, with the tone of what it means', () => {
  const found = DEVICE_UPDATE_STATE_LIST.map((state) =>
    storyBadge(story(assigned, told('downloading', 1), told(state, 2))),
  );
  assert.equal(new Set(found.map(({ word }) => word)).size, DEVICE_UPDATE_STATE_LIST.length);
  const toneOf = (tone: string) =>
    DEVICE_UPDATE_STATE_LIST.filter((_state, place) => found[place]?.tone === tone);
  assert.deepEqual(toneOf('good'), ['confirmed']);
  assert.deepEqual(toneOf('bad'), ['reverting', 'reverted', 'failed']);
  assert.equal(stepTone(told('failed', 1)), 'bad');
  assert.equal(stepTone(assigned), 'calm');
});

test('what the device refused, did not answer, or need not do is told so', () => {
  assert.equal(storyBadge(story(assigned, told('failed', 1))).word, 'refused');
  assert.equal(storyBadge(story(assigned)).word, 'nothing told yet');
  const none: DeviceUpdateStep = { what: 'assigned', at: at(5), before: release, by: 'server' };
  assert.equal(storyBadge(story(assigned, told('downloading', 1), none)).word, 'taken back');
  assert.equal(storyBadge(story(assigned, told('reverted', 1), none)).word, 'went back');
});

test('how long it took is told once it has ended', () => {
  assert.equal(tookText(story(assigned, told('trial', 60))), undefined);
  assert.equal(tookText(story(assigned, told('trial', 60), told('confirmed', 150))), '2 minutes');
  assert.equal(tookText(story(told('confirmed', 150))), undefined);
  assert.equal(tookText(story(assigned, told('failed', 150))), undefined, 'it never began');
});

test('a clock time stands at each step, and the date where it changes', () => {
  const day = 86_400;
  const times = stepTimes([assigned, told('trial', 0), told('confirmed', day)]);
  const [first = '', second = '', third = ''] = times;
  assert.ok(first.endsWith(`, ${second}`), `${first} and ${second}`);
  assert.ok(third.endsWith(`, ${second}`) && third !== first, third);
});

test('the same reason is not told twice', () => {
  const why = 'no connection';
  const steps = [assigned, { ...told('reverting', 1), why }, { ...told('reverted', 2), why }];
  assert.deepEqual(
    [0, 1, 2].map((place) => whyOf(steps, place)),
    [undefined, why, undefined],
  );
});
