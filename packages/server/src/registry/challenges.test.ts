import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemRandom } from '../kernel/index.ts';
import { Challenges } from './challenges.ts';
import { CHALLENGE_LIFE_MS } from './limits.ts';
import { StillClock } from './people-lab.testing.ts';

function openChallenges() {
  const clock = new StillClock();
  const challenges = new Challenges({ clock, random: systemRandom });
  const make = (purpose: string) => Buffer.from(challenges.make(purpose)).toString('base64url');
  return { clock, challenges, make };
}

test('a challenge is good for its purpose and for no other', () => {
  const { challenges, make } = openChallenges();
  const challenge = make('add:ada');
  assert.ok(challenges.isLive(challenge, 'add:ada'));
  for (const other of ['add:bob', 'sign-in', 'add:', '', 'add:ada ']) {
    assert.ok(!challenges.isLive(challenge, other), other);
  }
  assert.ok(!openChallenges().challenges.isLive(challenge, 'add:ada'), 'another process');
});

test('a challenge is good once', () => {
  const { challenges, make } = openChallenges();
  const challenge = make('sign-in');
  assert.ok(challenges.use(challenge));
  assert.ok(!challenges.isLive(challenge, 'sign-in'));
  assert.ok(!challenges.use(challenge));
  // Another spelling of the same bytes is the same challenge.
  assert.ok(!challenges.isLive(`${challenge}=`, 'sign-in'));
  assert.ok(!challenges.use(`${challenge}=`));
  assert.ok(challenges.isLive(make('sign-in'), 'sign-in'));
});

test('a challenge is good for five minutes', () => {
  const { clock, challenges, make } = openChallenges();
  const challenge = make('sign-in');
  clock.ms += CHALLENGE_LIFE_MS - 1;
  assert.ok(challenges.isLive(challenge, 'sign-in'));
  clock.ms += 1;
  assert.ok(!challenges.isLive(challenge, 'sign-in'));
});

test('no changed challenge is good', () => {
  const { challenges } = openChallenges();
  const made = challenges.make('sign-in');
  fc.assert(
    fc.property(fc.nat(made.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const changed = Uint8Array.from(made);
      changed[at] = (changed[at] ?? 0) ^ mask;
      assert.ok(!challenges.isLive(Buffer.from(changed).toString('base64url'), 'sign-in'));
    }),
  );
  for (const text of ['', 'A', Buffer.from(made.subarray(1)).toString('base64url')]) {
    assert.ok(!challenges.isLive(text, 'sign-in'));
  }
});
