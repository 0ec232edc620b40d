import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../kernel/index.ts';
import { type Handshake, HandshakeQueue } from './handshake-queue.ts';
import {
  HANDSHAKES_MAX,
  HANDSHAKES_PER_NETWORK_MAX,
  HANDSHAKE_BURST_MS,
  HANDSHAKE_BURST_MS_MAX,
  HANDSHAKE_PRESSED_MS,
  HANDSHAKE_SHARE,
  HANDSHAKE_WAIT_MS,
} from './limits.ts';

/** A queue whose turns the test takes, and whose handshakes cost the time that the test says. */
class Lab {
  ms = 0;
  costMs = 1;
  readonly started: string[] = [];
  readonly givenUp: string[] = [];
  readonly queue: HandshakeQueue;
  #turns: (() => void)[] = [];
  #tasks: (() => void)[] = [];

  constructor() {
    const clock: Clock = { nowMs: () => 0, monotonicMs: () => this.ms, after: () => () => {} };
    this.queue = new HandshakeQueue({
      clock,
      nextTurn: (task) => this.#turns.push(task),
      soon: (task) => this.#tasks.push(task),
    });
  }

  /** Adds handshakes of a network, named `a1`, `a2` and so on. */
  add(network: string, count: number): Handshake[] {
    const handshakes = Array.from({ length: count }, (_, i) => ({
      network,
      start: () => {
        this.ms += this.costMs;
        this.started.push(`${network}${i + 1}`);
      },
      giveUp: (why: string) => this.givenUp.push(`${network}${i + 1} ${why}`),
    }));
    for (const handshake of handshakes) this.queue.add(handshake);
    return handshakes;
  }

  /** One turn of the event loop, after `othersMs` for others. @returns what was started in it. */
  turn(othersMs = 0): string[] {
    const before = this.started.length;
    this.ms += othersMs;
    const turns = this.#turns;
    this.#turns = [];
    for (const task of turns) {
      task();
      for (let next = this.#tasks.shift(); next !== undefined; next = this.#tasks.shift()) next();
    }
    return this.started.slice(before);
  }

  get isIdle(): boolean {
    return this.#turns.length === 0;
  }
}

test('a burst is short, and ends with the handshake that fills it', () => {
  const lab = new Lab();
  lab.add('a', 10);
  assert.deepEqual(lab.started, [], 'nothing begins before the turn of the event loop');
  lab.costMs = HANDSHAKE_BURST_MS / 2;
  assert.deepEqual(lab.turn(), ['a1', 'a2']);
  lab.costMs = HANDSHAKE_BURST_MS * 3;
  assert.deepEqual(lab.turn(), ['a3'], 'one at least');
});

test('after a long turn a burst gets its share, up to a limit', () => {
  const lab = new Lab();
  lab.add('a', 100);
  lab.turn();
  const share = 10;
  assert.equal(lab.turn(share / HANDSHAKE_SHARE).length, share);
  assert.equal(lab.turn(60_000).length, HANDSHAKE_BURST_MS_MAX);
});

test('while arrivals come they are accepted first, for as long as a burst takes', () => {
  const lab = new Lab();
  lab.add('a', 10);
  const turn = (): string[] => {
    lab.queue.noteArrival();
    return lab.turn(HANDSHAKE_BURST_MS / 2);
  };
  assert.deepEqual([turn().length, turn().length], [0, 2]);
  assert.deepEqual([turn().length, turn().length], [0, 2]);
  assert.equal(lab.turn().length, 2, 'a turn without an arrival');
});

test('as many are in progress as the limit, and an end makes place for one', () => {
  const lab = new Lab();
  lab.costMs = 0;
  const [first] = lab.add('a', HANDSHAKES_PER_NETWORK_MAX);
  for (let i = HANDSHAKES_PER_NETWORK_MAX; i < HANDSHAKES_MAX - 1; i += 1) lab.add(`b${i}-`, 1);
  lab.turn();
  assert.equal(lab.queue.runningCount, HANDSHAKES_MAX - 1);
  lab.add('c', 2);
  assert.deepEqual(lab.turn(), ['c1']);
  assert.equal(lab.queue.runningCount, HANDSHAKES_MAX);
  assert.ok(lab.isIdle, 'it does not turn in vain');
  if (first !== undefined) lab.queue.leave(first);
  assert.deepEqual(lab.turn(), ['c2']);
});

test('one network has as many in progress as its own limit, and the others go on', () => {
  const lab = new Lab();
  lab.costMs = 0;
  const [first] = lab.add('a', HANDSHAKES_PER_NETWORK_MAX + 1);
  assert.equal(lab.turn().length, HANDSHAKES_PER_NETWORK_MAX);
  lab.add('b', 1);
  assert.deepEqual(lab.turn(), ['b1']);
  if (first !== undefined) lab.queue.leave(first);
  assert.deepEqual(lab.turn(), [`a${HANDSHAKES_PER_NETWORK_MAX + 1}`]);
});

test('networks take turns, and within one the oldest is first', () => {
  const lab = new Lab();
  lab.costMs = 0;
  lab.add('a', 4);
  lab.add('b', 1);
  lab.add('c', 2);
  assert.deepEqual(lab.turn(), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'a4']);
});

test('whoever has gone while it waited is passed over', () => {
  const lab = new Lab();
  const [first, second] = lab.add('a', 3);
  for (const one of [first, second]) if (one !== undefined) lab.queue.leave(one);
  assert.deepEqual(lab.turn(), ['a3']);
  assert.equal(lab.queue.waitingCount, 0);
});

test('nobody waits for longer than the limit', () => {
  const lab = new Lab();
  lab.add('a', 1);
  lab.ms = 1;
  lab.add('b', 1);
  lab.ms = HANDSHAKE_WAIT_MS - 1;
  lab.queue.sweep();
  assert.deepEqual(lab.givenUp, []);
  lab.ms = HANDSHAKE_WAIT_MS;
  lab.queue.sweep();
  assert.deepEqual(lab.givenUp, ['a1 waited']);
  assert.deepEqual(lab.turn(), ['b1']);
});

test('a handshake that stalls gives way to those who wait for its place, not before', () => {
  const lab = new Lab();
  lab.costMs = 0;
  lab.add('a', HANDSHAKES_PER_NETWORK_MAX);
  lab.turn();
  lab.ms = HANDSHAKE_PRESSED_MS;
  lab.queue.sweep();
  assert.deepEqual(lab.givenUp, [], 'nobody waits');
  lab.add('b', 1);
  lab.queue.sweep();
  assert.deepEqual(lab.givenUp, [], 'who waits does not wait for these');
  lab.turn();
  lab.ms = HANDSHAKE_PRESSED_MS - 1;
  lab.add('a', 1);
  lab.queue.sweep();
  assert.deepEqual(lab.givenUp, [], 'not that old');
  lab.ms = HANDSHAKE_PRESSED_MS;
  lab.queue.sweep();
  assert.deepEqual(lab.givenUp, ['a1 stalled'], 'as many as wait, the oldest first');
  assert.deepEqual(lab.turn(), ['a1']);
});

test('whatever happens, the limits hold and everybody has his turn', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), network: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ kind: fc.constant('leave' as const), at: fc.nat(400) }),
    fc.record({ kind: fc.constant('turn' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
      const lab = new Lab();
      lab.costMs = 0;
      const inside: Handshake[] = [];
      let goneUnstarted = 0;
      let added = 0;
      const leave = (one: Handshake): void => {
        const before = lab.queue.waitingCount;
        lab.queue.leave(one);
        goneUnstarted += before - lab.queue.waitingCount;
      };
      for (const one of steps) {
        if (one.kind === 'turn') lab.turn();
        else if (one.kind === 'leave') inside.splice(one.at, 1).forEach(leave);
        else {
          inside.push(...lab.add(one.network, 1));
          added += 1;
        }
        assert.ok(lab.queue.runningCount <= HANDSHAKES_MAX);
        assert.equal(lab.queue.runningCount + lab.queue.waitingCount, inside.length);
      }
      lab.turn();
      while (lab.queue.waitingCount > 0) {
        // Those at the front are in progress: they end, and the next ones begin.
        inside.splice(0, HANDSHAKES_PER_NETWORK_MAX).forEach(leave);
        lab.turn();
      }
      assert.equal(lab.started.length + goneUnstarted, added);
    }),
    { numRuns: 50 },
  );
});
