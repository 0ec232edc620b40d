import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { encodeEntry } from '@holdfast/protocol';
import fc from 'fast-check';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { systemClock, systemRandom } from '../kernel/index.ts';
import { SealedLog } from './sealed-log.ts';

const KEYS = 4;
const keys = Array.from({ length: KEYS }, () => systemRandom(32));
const signer = softwareKeyHandle('Ed25519', generatePrivateKey('Ed25519'));
const keyOf = (keyRef: number): Uint8Array => keys[keyRef] ?? assert.fail('no such key');
const gathered = { pairsMin: 5, pairsPerKeyMin: 0 };

function open(path: string): SealedLog {
  const deps = { clock: systemClock, random: systemRandom, origin: 'test/log', signer, keyOf };
  return new SealedLog(path, { ...deps, gathered, layoutKeyRef: () => 0 });
}

function temporaryPath(t?: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-expiry-'));
  t?.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'log.db');
}

function fill(log: SealedLog, batches: readonly (readonly number[])[], body = 'x'): void {
  for (const batch of batches) {
    log.append(
      batch.map((keyRef) => {
        const bytes = Buffer.from(body);
        const entry = { kind: 'message', atMs: 1, principal: '', topic: '', kid: '', body: bytes };
        return { keyRef, counterMax: log.size, record: encodeEntry({ ...entry, kind: 'message' }) };
      }),
    );
  }
}

function indexesOf(log: SealedLog, keyRef: number): number[] {
  const key = { keyRef, key: keyOf(keyRef) };
  const page = { before: Number.MAX_SAFE_INTEGER, limit: 10_000 };
  const backwards = log.reader.readBackwards(key, page).map(({ index }) => index);
  const whole = { from: 0, to: Number.MAX_SAFE_INTEGER, bytesMin: Number.MAX_SAFE_INTEGER };
  const forwards = log.reader.readForwards(whole, (ref) =>
    ref === keyRef ? keyOf(ref) : undefined,
  );
  assert.deepEqual(forwards.problems, []);
  assert.deepEqual(
    forwards.entries.map(({ index }) => index),
    backwards.toReversed(),
  );
  return backwards.toReversed();
}

function run(log: SealedLog, bytes = 1): number {
  const next = log.beginExpiries();
  let slices = 1;
  while (next(bytes)) slices += 1;
  return slices;
}

test('whole batches of what is named expire, the newest stays; however often, whatever is killed', () => {
  const keyRef = fc.integer({ min: 0, max: KEYS - 1 });
  const batches = fc.array(fc.array(keyRef, { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 12,
  });
  const round = fc.record({
    batches,
    expiries: fc.array(fc.record({ keyRef, before: fc.integer({ min: 0, max: 60 }) }), {
      maxLength: 4,
    }),
    /** Slices that are done before the process is killed and another one goes on. */
    slices: fc.integer({ min: 0, max: 8 }),
    /** Whether more is planned before that. */
    replans: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(round, { minLength: 1, maxLength: 4 }), (rounds) => {
      const path = temporaryPath();
      let log = open(path);
      const model: { first: number; end: number; keyRefs: Set<number> }[] = [];
      const until = new Map<number, number>();
      try {
        for (const { batches: more, expiries, slices, replans } of rounds) {
          for (const batch of more) {
            const first = log.size;
            fill(log, [batch]);
            model.push({ first, end: log.size, keyRefs: new Set(batch) });
          }
          for (const planned of log.planExpiries(expiries)) {
            until.set(planned.keyRef, Math.max(planned.before, until.get(planned.keyRef) ?? 0));
          }
          for (const { keyRef: ref, before } of expiries) {
            const own = model.filter(({ keyRefs }) => keyRefs.has(ref));
            const gone = own.slice(0, -1).findLast(({ end }) => end <= before);
            assert.ok((until.get(ref) ?? 0) >= (gone?.end ?? 0), 'all of it is planned');
          }
          const next = log.beginExpiries();
          for (let slice = 0; slice < slices && next(1);) slice += 1;
          log.close();
          log = open(path);
          if (replans) log.planExpiries([]);
          run(log);
          assert.deepEqual(log.pendingExpiries, []);
          for (let ref = 0; ref < KEYS; ref += 1) {
            const own = model.filter(({ keyRefs }) => keyRefs.has(ref));
            const kept = own.filter(({ end }) => end > (until.get(ref) ?? 0));
            assert.equal(kept.at(-1), own.at(-1), 'the newest stays');
            const found = indexesOf(log, ref);
            for (const { first, end } of own) {
              const isThere = found.some((index) => index >= first && index < end);
              assert.equal(isThere, end > (until.get(ref) ?? 0));
            }
          }
        }
      } finally {
        log.close();
        rmSync(join(path, '..'), { recursive: true });
      }
    }),
    { numRuns: 30 },
  );
});

test('an expiry that would take nothing out is not planned', (t) => {
  const log = open(temporaryPath(t));
  t.after(() => log.close());
  fill(log, [[0, 1], [0], [0, 1]]);
  assert.deepEqual(log.planExpiries([{ keyRef: 0, before: 1 }]), [], 'inside of a batch');
  assert.deepEqual(log.planExpiries([{ keyRef: 3, before: 5 }]), [], 'a key without a segment');
  assert.deepEqual(log.planExpiries([{ keyRef: 1, before: 2 }]), [{ keyRef: 1, before: 2 }]);
  assert.equal(run(log), 1);
  assert.deepEqual(log.planExpiries([{ keyRef: 1, before: 99 }]), [], 'the newest stays');
  assert.deepEqual(log.planExpiries([{ keyRef: 0, before: 99 }]), [{ keyRef: 0, before: 3 }]);
});

/** Pages of a closed log, and those of them that are free. */
function pagesOf(path: string): { all: number; free: number } {
  const database = new DatabaseSync(path, { readOnly: true });
  const [all, free] = ['page_count', 'freelist_count'].map((name) =>
    Number(database.prepare(`PRAGMA ${name}`).get()?.[name]),
  );
  database.close();
  return { all: all ?? 0, free: free ?? 0 };
}

test('expired bytes leave the file, and their space is used again', (t) => {
  const path = temporaryPath(t);
  let log = open(path);
  const chunk = Buffer.from(systemRandom(40_000)).toString('hex');
  fill(
    log,
    Array.from({ length: 50 }, () => [0]),
    chunk,
  );
  log.close();
  const before = pagesOf(path).all;
  log = open(path);
  log.planExpiries([{ keyRef: 0, before: 50 }]);
  assert.ok(run(log, 100_000) > 10, 'in slices');
  fill(
    log,
    Array.from({ length: 45 }, () => [1]),
    chunk,
  );
  log.close();
  assert.ok(pagesOf(path).all <= before + 2, `${pagesOf(path).all} pages, before ${before}`);
});

test('small batches that expired give their pages back, too', (t) => {
  const path = temporaryPath(t);
  const log = open(path);
  fill(
    log,
    Array.from({ length: 600 }, (_, at) => [at % KEYS]),
    'x'.repeat(200),
  );
  log.planExpiries([0, 1, 2, 3].map((keyRef) => ({ keyRef, before: 600 })));
  run(log, 10_000);
  log.close();
  const { all, free } = pagesOf(path);
  assert.ok(free > 0.5 * all, `${free} of ${all} pages are free`);
});
