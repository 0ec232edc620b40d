import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { STATE_BATCH_BYTES } from './limits.ts';
import { PendingState, ROUTED_KEY, type TakenState, decodeRouted } from './pending-state.ts';

const value = (text: string) => (): Uint8Array => Buffer.from(text);

function texts({ changes }: TakenState): (string | undefined)[][] {
  return changes.map(({ key, value: bytes }) => [key, bytes && Buffer.from(bytes).toString()]);
}

test('many changes of one key cost one encoding, as late as possible', () => {
  const state = new PendingState();
  let count = 0;
  let encodings = 0;
  for (count = 1; count < 5; count += 1) {
    state.save('a', () => {
      encodings += 1;
      return Buffer.from(String(count));
    });
  }
  state.save('b', value('b'));
  state.save('b', () => undefined);
  assert.deepEqual(texts(state.take()), [
    ['a', '5'],
    ['b', undefined],
  ]);
  assert.equal(encodings, 1);
  assert.equal(state.isReady, false);
  assert.deepEqual(texts(state.take()), []);
});

test('what is saved soon waits for the tick, and goes with what is saved at once', () => {
  const state = new PendingState();
  state.saveSoon('a', value('soon'));
  assert.equal(state.isReady, false);
  state.beginTick(undefined);
  assert.equal(state.isReady, true);
  assert.deepEqual(texts(state.take()), [['a', 'soon']]);

  state.saveSoon('a', value('soon'));
  state.save('a', value('now'));
  state.saveSoon('a', value('later'));
  assert.deepEqual(texts(state.take()), [['a', 'later']]);
  state.beginTick(undefined);
  assert.equal(state.isReady, false);
});

test('the index goes with the last part of its tick, as it was when the tick began', () => {
  const state = new PendingState();
  const half = new Uint8Array(STATE_BATCH_BYTES / 2);
  for (const key of ['a', 'b', 'c', 'd', 'e']) state.saveSoon(key, () => half);
  state.beginTick(7);
  const parts: string[][] = [];
  while (state.isTicking) {
    parts.push(state.take().changes.map(({ key }) => key));
    // Saved after its part has gone: that belongs to the next tick.
    if (parts.length === 1) state.saveSoon('a', value('again'));
  }
  assert.deepEqual(parts, [
    ['a', 'b'],
    ['c', 'd'],
    ['e', ROUTED_KEY],
  ]);
  state.beginTick(7);
  assert.deepEqual(texts(state.take()), [['a', 'again']]);
});

test('what is saved at once goes whole, however large it is', () => {
  const state = new PendingState();
  const large = new Uint8Array(STATE_BATCH_BYTES);
  for (const key of ['a', 'b', 'c']) state.save(key, () => large);
  state.saveSoon('d', value(''));
  state.beginTick(undefined);
  assert.deepEqual(
    state.take().changes.map(({ key }) => key),
    ['a', 'b', 'c'],
  );
  assert.equal(state.isTicking, true);
});

test('an index that has not changed is not saved again', () => {
  const state = new PendingState();
  state.beginTick(3);
  const [change] = state.take().changes;
  assert.equal(decodeRouted(change?.value ?? new Uint8Array(0)), 3);
  state.beginTick(3);
  assert.equal(state.isReady, false);
  state.beginTick(4);
  assert.equal(state.isReady, true);
});

test('a damaged index is none', () => {
  for (const text of ['', 'x', '1.5', '-1', '9007199254740992']) {
    assert.throws(() => decodeRouted(Buffer.from(text)), TypeError);
  }
  assert.equal(decodeRouted(Buffer.from('9007199254740991')), Number.MAX_SAFE_INTEGER);
});

test('whatever is saved in whatever order, the disk has the latest after a tick', () => {
  const step = fc.record({
    act: fc.constantFrom('save', 'soon', 'remove', 'tick', 'take'),
    key: fc.constantFrom('a', 'b', 'c'),
    size: fc.constantFrom(1, STATE_BATCH_BYTES / 2, STATE_BATCH_BYTES),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const state = new PendingState();
      const disk = new Map<string, Uint8Array>();
      const wanted = new Map<string, Uint8Array>();
      const take = (): void => {
        for (const { key, value: bytes } of state.take().changes) {
          if (bytes === undefined) disk.delete(key);
          else disk.set(key, bytes);
        }
      };
      for (const { act, key, size } of steps) {
        const bytes = new Uint8Array(size);
        if (act === 'tick') state.beginTick(undefined);
        else if (act === 'take') take();
        else if (act === 'remove') {
          wanted.delete(key);
          state.save(key, () => undefined);
        } else {
          wanted.set(key, bytes);
          if (act === 'save') state.save(key, () => bytes);
          else state.saveSoon(key, () => bytes);
        }
      }
      state.beginTick(undefined);
      while (state.isReady) take();
      assert.deepEqual([...disk.keys()].sort(), [...wanted.keys()].sort());
      for (const [key, bytes] of wanted) assert.equal(disk.get(key), bytes);
    }),
  );
});
