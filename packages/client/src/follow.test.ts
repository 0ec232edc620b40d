import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { ApiError } from './api-error.ts';
import { follow } from './follow.ts';
import type { FollowedHistory } from './follow.ts';
import { CATCH_UP_ENTRIES, RECONNECT_MS_MAX, RECONNECT_MS_MIN } from './limits.ts';

interface Item {
  readonly index: number;
}

/** A history whose streams live for as many entries as told, then break. */
class FakeHistory implements FollowedHistory<Item> {
  readonly items: Item[] = [];
  /** Entries that each connection gives before it breaks; entries grow while it is open. */
  readonly lives: number[];
  /** Entries that are added while there is no connection. */
  readonly gap: number;
  readonly openSignals: AbortSignal[] = [];
  #next: number;

  constructor({ start, gap, lives }: { start: number; gap: number; lives: number[] }) {
    this.#next = start;
    this.gap = gap;
    this.lives = lives;
  }

  add(count: number): void {
    // Other entries of the log lie between: the indexes have holes.
    for (let i = 0; i < count; i += 1) this.items.push({ index: (this.#next += 3) });
  }

  read = (page: { limit: number; before?: number }): Promise<Item[]> => {
    const { limit, before = Infinity } = page;
    const older = this.items.filter(({ index }) => index < before);
    return Promise.resolve(older.toReversed().slice(0, limit));
  };

  open = (signal: AbortSignal): Promise<AsyncIterable<Item>> => {
    this.openSignals.push(signal);
    const life = this.lives.shift();
    if (life === undefined) return Promise.reject(refused());
    const from = this.items.length;
    // These are both in the pages that are read next and in the stream.
    this.add(1);
    return Promise.resolve(this.#stream(from, life));
  };

  async *#stream(from: number, life: number): AsyncGenerator<Item> {
    this.add(Math.max(life - 1, 0));
    yield* this.items.slice(from, from + life);
    this.add(this.gap);
    throw unreachable();
  }
}

const refused = () => new ApiError({ code: 'E_X', message: 'no', fix: '', status: 403 });
const unreachable = () => new ApiError({ code: 'E_CLIENT_UNREACHABLE', message: '', fix: '' });
const noWait = () => Promise.resolve();

async function collect(history: FakeHistory, after: number): Promise<number[]> {
  const indexes: number[] = [];
  try {
    for await (const { index } of follow(history, { after }, noWait)) indexes.push(index);
  } catch (error) {
    assert.ok(error instanceof ApiError && error.status === 403, String(error));
  }
  return indexes;
}

describe('follow', () => {
  it('gives every entry once and in order, however often the connection breaks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          start: fc.constantFrom(-3, 0, 100),
          gap: fc.constantFrom(0, 1, 5, CATCH_UP_ENTRIES, 2 * CATCH_UP_ENTRIES + 1),
          lives: fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }),
        }),
        fc.nat(3 * CATCH_UP_ENTRIES),
        fc.boolean(),
        async (shape, before, hasSeen) => {
          const history = new FakeHistory(shape);
          history.add(before);
          const after = hasSeen ? (history.items.at(-1)?.index ?? -1) : -1;
          const indexes = await collect(history, after);
          const expected = history.items.map(({ index }) => index).filter((i) => i > after);
          // What comes while nothing is connected any more is rightly not there.
          assert.deepEqual(indexes, expected.slice(0, indexes.length));
          assert.ok(indexes.length >= expected.length - shape.gap);
        },
      ),
    );
  });

  it('ends with the error of a first connection that fails', async () => {
    const history = new FakeHistory({ start: 0, gap: 0, lives: [] });
    history.open = () => Promise.reject(unreachable());
    await assert.rejects(follow(history, { after: -1 }, noWait).next(), ApiError);
  });

  it('waits longer after each failure, up to the longest pause', async () => {
    const pauses: number[] = [];
    const history = new FakeHistory({ start: 0, gap: 0, lives: [1] });
    const { open } = history;
    let failures = 8;
    history.open = (signal) =>
      pauses.length === 0 || (failures -= 1) < 0 ? open(signal) : Promise.reject(unreachable());
    const options = { after: -1, onLost: (_: ApiError, ms: number) => pauses.push(ms) };
    const entries = follow(history, options, noWait);
    await assert.rejects(async () => {
      for await (const _ of entries);
    });
    assert.deepEqual(
      pauses.slice(0, 3),
      [1, 2, 4].map((times) => times * RECONNECT_MS_MIN),
    );
    assert.equal(pauses.at(-1), RECONNECT_MS_MAX);
  });

  it('closes a stream that nobody has read when the caller stops', async () => {
    const history = new FakeHistory({ start: 0, gap: 0, lives: [9] });
    history.add(2);
    for await (const _ of follow(history, { after: -1 }, noWait)) break;
    assert.deepEqual(
      history.openSignals.map(({ aborted }) => aborted),
      [true],
    );
  });

  it('ends without an error when its signal aborts, also while it waits', async () => {
    const stop = new AbortController();
    const history = new FakeHistory({ start: 0, gap: 0, lives: [1] });
    const wait = () => {
      stop.abort();
      return Promise.reject(new Error('aborted'));
    };
    const indexes: number[] = [];
    for await (const { index } of follow(history, { after: -1, signal: stop.signal }, wait)) {
      indexes.push(index);
    }
    assert.deepEqual(indexes, [3]);
  });
});
