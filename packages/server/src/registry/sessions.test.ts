import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../kernel/index.ts';
import { SESSIONS_OF_PERSON_MAX } from './limits.ts';
import { StillClock } from './people-lab.testing.ts';
import {
  SESSIONS_MAX,
  SESSION_IDLE_MS,
  SESSION_LIFE_MS,
  type SignIn,
  Sessions,
} from './sessions.ts';

const signInOf = (principal: string): SignIn => ({
  principal,
  by: 'totp',
  address: '192.0.2.1',
  isSteppedUp: true,
  needsSecondFactor: false,
});

function openSessions(): { clock: StillClock; sessions: Sessions; start: () => string } {
  const clock = new StillClock();
  const sessions = new Sessions({ clock, random: systemRandom });
  // Each of another person: one person has few.
  let count = 0;
  const start = (): string => sessions.start(signInOf(`person:${count++}`)).id.expose();
  return { clock, sessions, start };
}

test('a session id has 256 random bits', () => {
  const { start } = openSessions();
  const ids = new Set(Array.from({ length: 100 }, start));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.equal(Buffer.from(id, 'base64url').length, 32);
});

test('one session more than the limit ends the oldest', () => {
  const { sessions, start } = openSessions();
  const ids = Array.from({ length: SESSIONS_MAX }, start);
  assert.ok(ids.every((id) => sessions.use(id) !== undefined));
  const newest = start();
  assert.deepEqual(
    [ids[0], ids[1], newest].map((id) => sessions.use(id ?? '') !== undefined),
    [false, true, true],
  );
});

test('sessions that have ended make room first', () => {
  const { clock, sessions, start } = openSessions();
  const first = start();
  for (let i = 1; i < SESSIONS_MAX; i++) start();
  clock.ms += SESSION_IDLE_MS - 1;
  assert.ok(sessions.use(first));
  clock.ms += 1;
  start();
  assert.ok(sessions.use(first), 'the oldest was ended although others had ended already');
});

test('use moves the idle end, and never the last end', () => {
  const { clock, sessions, start } = openSessions();
  const startMs = clock.ms;
  const id = start();
  clock.ms += 1_000;
  const used = sessions.use(id);
  assert.equal(used?.idleAtMs, clock.ms + SESSION_IDLE_MS);
  assert.equal(used?.endsAtMs, startMs + SESSION_LIFE_MS);
  sessions.end(used?.hash ?? '');
  assert.equal(sessions.use(id), undefined);
});

test('one session more of a person than the limit ends the oldest of that person', () => {
  const { sessions, start } = openSessions();
  const other = start();
  const own = (): string => sessions.start(signInOf('person:ada')).id.expose();
  const ids = Array.from({ length: SESSIONS_OF_PERSON_MAX }, own);
  assert.ok([other, ...ids].every((id) => sessions.use(id) !== undefined));
  const newest = own();
  assert.deepEqual(
    [other, ids[0], ids[1], newest].map((id) => sessions.use(id ?? '') !== undefined),
    [true, false, true, true],
  );
});

test('a second factor makes a session a full one, and counts from then on', () => {
  const { clock, sessions } = openSessions();
  const limited = { ...signInOf('person:ada'), isSteppedUp: false, needsSecondFactor: true };
  const { session } = sessions.start(limited);
  assert.deepEqual([session.needsSecondFactor, session.steppedUpAtMs], [true, undefined]);
  clock.ms += 5_000;
  sessions.stepUp(session.hash);
  const after = sessions.byHash(session.hash);
  assert.deepEqual([after?.needsSecondFactor, after?.steppedUpAtMs], [false, clock.ms]);
});

test('the sessions of a person end, but for the one that asks for it', () => {
  const { sessions } = openSessions();
  const [ada, other, bob] = ['person:ada', 'person:ada', 'person:bob'].map(
    (principal) => sessions.start(signInOf(principal)).session.hash,
  );
  sessions.endAllOf('person:ada', { except: ada });
  assert.deepEqual(
    [ada, other, bob].map((hash) => sessions.byHash(hash ?? '') !== undefined),
    [true, false, true],
  );
});
