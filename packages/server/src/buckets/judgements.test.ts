/** Which risks are open, and what an acceptance covers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Collection, SealedStore } from '../persistence/index.ts';
import type { BucketCheck, CheckResult } from './bucket-checks.ts';
import { Judgements } from './judgements.ts';
import { JUDGEMENTS_MAX } from './limits.ts';

const NAME = 's3://fleet/prod';

/** Collections in memory. */
function memoryStore(): Pick<SealedStore, 'collection'> {
  return {
    collection<T>(): Collection<T> {
      const records = new Map<string, T>();
      return {
        read: (id) => records.get(id),
        write: (id, value) => void records.set(id, value),
        remove: (id) => void records.delete(id),
        all: () => [...records.values()],
      };
    },
  };
}

const judged = (check: BucketCheck, result: CheckResult, name = NAME, atMs = 0) => ({
  name,
  atMs,
  findings: [{ check, result, what: 'seen' }],
});
const accepted = (check: BucketCheck, result: CheckResult, untilMs: number) => ({
  name: NAME,
  check,
  result,
  by: 'person:ann',
  reason: 'why not',
  atMs: 0,
  untilMs,
});

test('a required check has to pass, and advice is advice', () => {
  const judgements = new Judgements(memoryStore());
  const isOpen = (check: BucketCheck, result: CheckResult): boolean =>
    judgements.openRisks(judged(check, result), 0).length > 0;
  for (const check of ['anonymous', 'acl', 'policy', 'encryption', 'removal'] as const) {
    assert.ok(isOpen(check, 'fail') && isOpen(check, 'unknown') && !isOpen(check, 'pass'), check);
  }
  for (const check of ['versioning', 'logging', 'tls-only'] as const) {
    assert.ok(!isOpen(check, 'fail') && !isOpen(check, 'unknown'), check);
  }
});

test('an acceptance ends with its time, and covers nothing worse and no other check', () => {
  const judgements = new Judgements(memoryStore());
  const isOpen = (check: BucketCheck, result: CheckResult, nowMs: number, name = NAME): boolean =>
    judgements.openRisks(judged(check, result, name), nowMs).length > 0;
  judgements.accept(accepted('encryption', 'unknown', 100));
  assert.ok(!isOpen('encryption', 'unknown', 99));
  assert.ok(isOpen('encryption', 'unknown', 100));
  assert.ok(isOpen('encryption', 'fail', 99), 'it is known to be bad since');
  assert.ok(isOpen('acl', 'unknown', 99));
  assert.ok(isOpen('encryption', 'unknown', 99, 's3://fleet/other'));
  judgements.accept(accepted('encryption', 'fail', 100));
  assert.ok(!isOpen('encryption', 'fail', 99));
  assert.ok(!isOpen('encryption', 'unknown', 99), 'worse was accepted');
});

test('judgements are bounded: the oldest makes room', () => {
  const judgements = new Judgements(memoryStore());
  for (let at = 0; at < JUDGEMENTS_MAX; at += 1) {
    judgements.write(judged('acl', 'pass', `s3://fleet/${at}`, at));
  }
  assert.equal(judgements.all().length, JUDGEMENTS_MAX);
  judgements.write(judged('acl', 'pass', NAME, 1_000));
  assert.equal(judgements.all().length, JUDGEMENTS_MAX);
  assert.equal(judgements.read('s3://fleet/0'), undefined);
  assert.ok(judgements.read('s3://fleet/1') && judgements.read(NAME));
});

test('who only looks at buckets does not take away what was accepted', () => {
  const judgements = new Judgements(memoryStore());
  judgements.write(judged('acl', 'unknown'));
  judgements.accept(accepted('acl', 'unknown', 1_000));
  const look = (name: string, atMs: number): void =>
    judgements.write(judged('acl', 'pass', `s3://fleet/${name}`, atMs));
  for (let at = 0; at < 2 * JUDGEMENTS_MAX; at += 1) look(`x${at}`, 10 + at);
  const found = judgements.read(NAME);
  assert.ok(found && judgements.openRisks(found, 999).length === 0);
  assert.equal(judgements.all().length, JUDGEMENTS_MAX + 1);
  look('later', 1_000);
  for (let at = 0; at < JUDGEMENTS_MAX; at += 1) look(`y${at}`, 1_001 + at);
  assert.equal(judgements.read(NAME), undefined, 'once it has ended');
});
