import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../kernel/index.ts';
import { StillClock } from './people-lab.testing.ts';
import { SESSIONS_MAX, SESSION_IDLE_MS, SESSION_LIFE_MS, Sessions } from './sessions.ts';

function openSessions(): { clock: StillClock; sessions: Sessions; start: () => string } {
  const clock = new StillClock();
  const sessions = new Sessions({ clock, random: systemRandom });
  return { clock, sessions, start: () => sessions.start('person:ada').id.expose() };
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
