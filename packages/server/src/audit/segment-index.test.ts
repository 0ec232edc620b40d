import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { transaction } from '../persistence/index.ts';
import { LogFiles } from './log-files.ts';
import { SegmentIndex, StoredIndex } from './segment-index.ts';

const KEYS = 4;

/** Bytes of a batch as far as the index reads them: a header for each key, and nothing sealed. */
function batchOf(keyRefs: readonly number[]): Buffer {
  const segment = (keyRef: number): Buffer => {
    const bytes = Buffer.alloc(8 + 28);
    bytes.writeUInt32BE(keyRef, 0);
    bytes.writeUInt32BE(28, 4);
    return bytes;
  };
  return Buffer.concat(keyRefs.map(segment));
}

test('finds what a scan of all batches finds, however often it is written and opened again', () => {
  const step = fc.record({
    keyRefs: fc.uniqueArray(fc.integer({ min: 1, max: KEYS }), { minLength: 1 }),
    count: fc.integer({ min: 1, max: 3 }),
    reopens: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.integer({ min: 1, max: 9 }), (steps, min) => {
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-index-'));
      const path = join(folder, 'log.db');
      const limits = { pairsMin: min, pairsPerKeyMin: 0 };
      let files = LogFiles.open(path);
      try {
        let index = new SegmentIndex(files, limits);
        const batches: { first: number; keyRefs: number[] }[] = [];
        let first = 0;
        for (const { keyRefs, count, reopens } of steps) {
          const isDue = index.isDue;
          transaction(files.database, () => {
            files.insertBatch({ first, count, sealed: batchOf(keyRefs), layout: Buffer.of() });
            if (isDue) index.write(first);
          });
          if (isDue) index.forgetWritten();
          index.note(first, keyRefs);
          batches.push({ first, keyRefs });
          first += count;
          if (reopens) {
            files.close();
            files = LogFiles.open(path);
            index = new SegmentIndex(files, limits);
          }
        }
        for (let keyRef = 1; keyRef <= KEYS; keyRef += 1) {
          for (let before = 0; before <= first + 1; before += 1) {
            const wanted = batches.findLast(
              (batch) => batch.first < before && batch.keyRefs.includes(keyRef),
            );
            assert.equal(index.batchBefore(keyRef, before), wanted?.first);
            const next = batches.find(
              (batch) => batch.first >= before && batch.keyRefs.includes(keyRef),
            );
            assert.equal(index.batchFrom(keyRef, before), next?.first);
          }
        }
        const stored = new StoredIndex(files, files.indexedUntil());
        for (const batch of batches) {
          if (stored.isBeyond(batch.first)) continue;
          for (const keyRef of batch.keyRefs) assert.ok(stored.has(keyRef, batch.first));
        }
      } finally {
        files.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});

test('a failed transaction loses nothing of what had gathered', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-index-'));
  const files = LogFiles.open(join(folder, 'log.db'));
  t.after(() => {
    files.close();
    rmSync(folder, { recursive: true });
  });
  const index = new SegmentIndex(files, { pairsMin: 1, pairsPerKeyMin: 0 });
  index.note(0, [7]);
  assert.ok(index.isDue);
  assert.throws(() =>
    transaction(files.database, () => {
      index.write(1);
      throw new Error('the disk is full');
    }),
  );
  assert.equal(index.batchBefore(7, 1), 0);
  assert.ok(index.isDue);
  assert.equal(files.indexedUntil(), 0);
});
