/** What each start means, and that no start of an unknown image is ever taken for good. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UPDATE_STATES } from '@holdfast/firmware';
import fc from 'fast-check';
import { type BootVerdict, judgeBoot } from './boot-verdict.ts';
import { RESTARTS_SPARE } from './limits.ts';
import type { BootState, SlotName } from './slots.ts';
import type { CurrentUpdate } from './update-record.ts';

const TRIES = 3;
const IMAGE = { release: 'thermo@2.0.0', sha256: 'f'.repeat(64), length: 1, counter: 2 };

function update(state: CurrentUpdate['state'], change: Partial<CurrentUpdate> = {}): CurrentUpdate {
  return { state, image: IMAGE, slot: 'b', couldConnect: true, restarts: 1, ...change };
}

function boot(slot: SlotName, trial?: SlotName, tries = 0): BootState {
  return { slot, trial, tries };
}

const CASES: readonly [string, CurrentUpdate, SlotName, BootState, BootVerdict][] = [
  ['nothing was going on', update('idle'), 'a', boot('a'), 'go-on'],
  ['a mark that nobody knows', update('idle'), 'a', boot('a', 'b', 2), 'unmark'],
  ['an image that nobody knows', update('failed'), 'b', boot('a', 'b', 2), 'go-back'],
  ['cut while the slot was written', update('verified'), 'a', boot('a'), 'go-on'],
  ['an unverified slot was marked', update('verified'), 'b', boot('a', 'b', 2), 'go-back'],
  ['cut before the mark', update('rebooting'), 'a', boot('a'), 'go-on'],
  ['cut after the mark', update('rebooting'), 'a', boot('a', 'b', 3), 'restart'],
  ['the new image runs', update('rebooting'), 'b', boot('a', 'b', 2), 'trial'],
  ['it runs for the last time', update('rebooting'), 'b', boot('a', 'b', 0), 'trial'],
  ['the journal is a step behind', update('staged'), 'b', boot('a', 'b', 2), 'trial'],
  ['the loader went back', update('rebooting'), 'a', boot('a', 'b', 0), 'reverted'],
  ['it went back after a trial', update('trial'), 'a', boot('a', 'b', 0), 'reverted'],
  ['somebody started the old one', update('trial'), 'a', boot('a', 'b', 2), 'reverted'],
  ['the trial was interrupted', update('trial'), 'b', boot('a', 'b', 1), 'trial'],
  ['cut between loader and journal', update('trial'), 'b', boot('b'), 'confirmed'],
  ['cut in the middle of going back', update('reverting'), 'b', boot('a', 'b', 1), 'go-back'],
  ['the same, the mark is gone', update('reverting'), 'b', boot('a'), 'go-back'],
  ['gone back', update('reverting'), 'a', boot('a'), 'reverted'],
  ['all is well', update('confirmed'), 'b', boot('b'), 'go-on'],
  ['the loader forgot', update('confirmed'), 'b', boot('a', 'b', 1), 'confirm-again'],
];

for (const [name, given, running, state, verdict] of CASES) {
  test(`${given.state}, ${name}: ${verdict}`, () => {
    assert.equal(judgeBoot({ update: given, running, boot: state, tries: TRIES }), verdict);
  });
}

test('a loader that never starts the new image is given up after its tries and one more', () => {
  const judge = (restarts: number) =>
    judgeBoot({
      update: update('rebooting', { restarts }),
      running: 'a',
      boot: boot('a', 'b', 3),
      tries: TRIES,
    });
  assert.equal(judge(TRIES + RESTARTS_SPARE), 'restart');
  assert.equal(judge(TRIES + RESTARTS_SPARE + 1), 'never-started');
});

test('only an image that was verified before is tried or held for confirmed', () => {
  const slot = fc.constantFrom<SlotName>('a', 'b');
  const state = fc.record({
    slot,
    trial: fc.option(slot, { nil: undefined }),
    tries: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.constantFrom(...UPDATE_STATES), slot, state, (name, running, loader) => {
      const verdict = judgeBoot({ update: update(name), running, boot: loader, tries: TRIES });
      if (verdict !== 'trial' && verdict !== 'confirmed') return;
      assert.ok(['staged', 'rebooting', 'trial', 'reverting'].includes(name));
      assert.equal(running, 'b');
    }),
  );
});
