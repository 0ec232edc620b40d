import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeEntry } from '@holdfast/protocol';
import fc from 'fast-check';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { systemClock, systemRandom } from '../kernel/index.ts';
import type { LogReader, StoredEntry } from './log-reader.ts';
import { SealedLog } from './sealed-log.ts';

const KEYS = [0, 1, 2, 3].map(() => systemRandom(32));
const BATCH_COUNTS = [1, 7, 300, 1, 1, 40];
const SIZE = BATCH_COUNTS.reduce((sum, count) => sum + count, 0);

const keyOf = (keyRef: number): Uint8Array => KEYS[keyRef] ?? assert.fail('no such key');
const keyRefOf = (index: number): number => (index * 7) % 4;

function record(index: number): Buffer {
  const body = Buffer.from(String(index));
  const entry = { kind: 'message', atMs: 1, principal: 'd', topic: 't', kid: '', body } as const;
  return Buffer.from(encodeEntry(entry));
}

function openReader(t: TestContext): LogReader {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-reader-'));
  const log = new SealedLog(join(folder, 'log.db'), {
    clock: systemClock,
    random: systemRandom,
    origin: 'test/log',
    signer: softwareKeyHandle('Ed25519', generatePrivateKey('Ed25519')),
    keyOf,
    layoutKeyRef: () => 0,
  });
  t.after(() => {
    log.close();
    rmSync(folder, { recursive: true });
  });
  let index = 0;
  for (const count of BATCH_COUNTS) {
    const batch = Array.from({ length: count }, () => {
      const pending = { keyRef: keyRefOf(index), counterMax: index, record: record(index) };
      index += 1;
      return pending;
    });
    log.append(batch);
  }
  return log.reader;
}

function checkEntries(entries: readonly StoredEntry[], expected: readonly number[]): void {
  assert.deepEqual(
    entries.map(({ index, keyRef, record: bytes }) => [index, keyRef, bytes.toString('hex')]),
    expected.map((index) => [index, keyRefOf(index), record(index).toString('hex')]),
  );
}

test('entries are found by their places, and only by those', (t) => {
  const reader = openReader(t);
  const index = fc.integer({ min: -2, max: SIZE + 2 });
  const place = fc.record({ index, keyRef: fc.constantFrom(0, 1, 2, 3) });
  fc.assert(
    fc.property(fc.array(place, { maxLength: 30 }), (places) => {
      const { entries, problems } = reader.readAt(places, keyOf);
      assert.deepEqual(problems, []);
      const there = places
        .filter(({ index: at, keyRef }) => at >= 0 && at < SIZE && keyRef === keyRefOf(at))
        .map(({ index: at }) => at);
      const found = entries.toSorted((a, b) => a.index - b.index);
      // An entry may come unasked when another place of its batch names its key.
      const asked = found.filter(({ index: at }) => there.includes(at));
      checkEntries(
        asked,
        [...new Set(there)].sort((a, b) => a - b),
      );
      const indexes = new Set(places.map(({ index: at }) => at));
      assert.ok(found.every(({ index: at }) => indexes.has(at)));
    }),
    { numRuns: 50 },
  );
});

test('pages of a forward reading make up the whole, from and to any index', (t) => {
  const reader = openReader(t);
  const bound = fc.integer({ min: 0, max: SIZE + 2 });
  fc.assert(
    fc.property(bound, bound, fc.constantFrom(1, 2_000, 1e6), (from, to, bytesMin) => {
      const found: StoredEntry[] = [];
      for (let next: number | undefined = from; next !== undefined;) {
        const page = reader.readForwards({ from: next, to, bytesMin }, keyOf);
        assert.deepEqual(page.problems, []);
        found.push(...page.entries);
        next = page.next;
      }
      const end = Math.min(to, SIZE);
      checkEntries(
        found,
        Array.from({ length: Math.max(0, end - from) }, (_, at) => from + at),
      );
    }),
    { numRuns: 50 },
  );
});

test('entries whose key is gone are left out', (t) => {
  const reader = openReader(t);
  const findKey = (keyRef: number): Uint8Array | undefined =>
    keyRef === 2 ? undefined : keyOf(keyRef);
  const all = { from: 0, to: SIZE, bytesMin: Number.POSITIVE_INFINITY };
  const { entries, next } = reader.readForwards(all, findKey);
  const expected = Array.from({ length: SIZE }, (_, index) => index);
  checkEntries(
    entries,
    expected.filter((index) => keyRefOf(index) !== 2),
  );
  assert.equal(next, undefined);
  const places = expected.map((index) => ({ index, keyRef: keyRefOf(index) }));
  assert.equal(reader.readAt(places, findKey).entries.length, entries.length);
});

test('what is read by place shares no memory with its segment', (t) => {
  const reader = openReader(t);
  const { entries } = reader.readAt([{ index: 100, keyRef: keyRefOf(100) }], keyOf);
  assert.equal(entries[0]?.record.buffer.byteLength, record(100).length);
});
