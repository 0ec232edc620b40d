import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { decodeEntry, encodeEntry } from '@holdfast/protocol';
import { Problem } from '@holdfast/protocol/merkle';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { systemClock, systemRandom } from '../kernel/index.ts';
import { LogFiles } from './log-files.ts';
import { checkpointVerifier, verifierKeyText } from './log-key.ts';
import { SealedLog } from './sealed-log.ts';
import type { PendingEntry } from './segment.ts';
import { type LogReport, verifyLog } from './verify-log.ts';

const origin = 'holdfast.test/log';
const signer = softwareKeyHandle('Ed25519', generatePrivateKey('Ed25519'));
const keys = new Map([1, 2, 3].map((ref) => [ref, systemRandom(32)] as const));

function keyOf(keyRef: number): Uint8Array {
  const key = keys.get(keyRef);
  if (key === undefined) throw new Error('no such key');
  return key;
}

const gathered = { pairsMin: 2, pairsPerKeyMin: 0 };
const layoutKeyRef = (): number => 1;
const made = { clock: systemClock, random: systemRandom, layoutKeyRef };
const deps = { ...made, origin, signer, keyOf, gathered };

function temporaryLog(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'log.db');
}

function pending(keyRef: number, text: string): PendingEntry {
  const body = Buffer.from(text);
  const entry = { kind: 'message', atMs: 1, principal: 'd', topic: 't', kid: '1.1', body } as const;
  return { keyRef, counterMax: Number(text) || 0, record: encodeEntry(entry) };
}

function fill(path: string, batches: number[][]): void {
  const log = new SealedLog(path, deps);
  for (const batch of batches) log.append(batch.map((n) => pending((n % 3) + 1, String(n))));
  log.close();
}

function verify(path: string): LogReport {
  const verifier = checkpointVerifier(verifierKeyText(origin, signer));
  assert.ok(!(verifier instanceof Problem));
  const files = LogFiles.openReadOnly(path);
  try {
    const run = verifyLog({ files, verifier, keyOf });
    for (;;) {
      const step = run.next();
      if (step.done) return step.value;
    }
  } finally {
    files.close();
  }
}

function damage(path: string, sql: string, ...values: (number | Uint8Array | string)[]): void {
  const database = new DatabaseSync(path);
  const { changes } = database.prepare(sql).run(...values);
  assert.ok(Number(changes) > 0, 'the damage must be done');
  database.close();
}

function count(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

const BATCHES = [count(0, 1), count(1, 300), count(300, 305), count(305, 600)];

test('entries come back under their key, newest first, in pages', (t) => {
  const path = temporaryLog(t);
  fill(path, BATCHES);
  const log = new SealedLog(path, deps);
  t.after(() => log.close());
  assert.equal(log.size, 600);
  const key = { keyRef: 2, key: keyOf(2) };
  const { reader } = log;
  const page = reader.readBackwards(key, { before: Number.MAX_SAFE_INTEGER, limit: 150 });
  const rest = reader.readBackwards(key, { before: page.at(-1)?.index ?? 0, limit: 1000 });
  const expected = count(0, 600).filter((n) => n % 3 === 1);
  assert.deepEqual([...page, ...rest].map(({ index }) => index).reverse(), expected);
  const bodies = [...page, ...rest].map(({ record }) => String(decodeEntry(record)?.body));
  assert.deepEqual(bodies.reverse(), expected.map(String));
  assert.equal(page[0]?.counterMax, 598);
});

test('a log that was closed and opened again verifies as one', (t) => {
  const path = temporaryLog(t);
  for (const batch of BATCHES) fill(path, [batch]);
  const report = verify(path);
  assert.deepEqual(report.findings, []);
  assert.equal(report.messages, 600);
  assert.equal(report.size, 600);
  assert.ok(report.checkpoints >= 4);
});

test('an empty log verifies', (t) => {
  const path = temporaryLog(t);
  fill(path, []);
  assert.deepEqual(verify(path).findings, []);
});

test('a failed append leaves the log as it was', (t) => {
  const path = temporaryLog(t);
  const log = new SealedLog(path, deps);
  log.append([pending(1, '0')]);
  assert.throws(() => log.append([pending(1, '1'), pending(9, '2')]), /no such key/);
  log.append([pending(1, '1')]);
  log.close();
  const report = verify(path);
  assert.deepEqual(report.findings, []);
  assert.equal(report.size, 2);
});

test('a disk that also fails to read after a failed append costs nothing but a retry', (t) => {
  const path = temporaryLog(t);
  const log = new SealedLog(path, deps);
  log.append([pending(1, '0'), pending(2, '1')]);
  const fail = (): never => {
    throw new Error('disk I/O error');
  };
  const insert = t.mock.method(LogFiles.prototype, 'insertBatch', fail);
  const read = t.mock.method(LogFiles.prototype, 'readTile', fail);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    assert.throws(() => log.append([pending(1, '2')]), /disk I\/O error/);
    assert.equal(log.size, 2);
  }
  insert.mock.restore();
  read.mock.restore();
  assert.equal(log.append([pending(1, '2')]).first, 2);
  log.close();
  const report = verify(path);
  assert.deepEqual(report.findings, []);
  assert.equal(report.size, 3);
});

test('each changed byte of a batch names the entries that it hits', (t) => {
  const path = temporaryLog(t);
  fill(path, [count(0, 4), count(4, 6)]);
  const database = new DatabaseSync(path);
  const row = database.prepare('SELECT sealed FROM batch WHERE first = 4').get();
  database.close();
  const sealed = row?.['sealed'];
  assert.ok(sealed instanceof Uint8Array);
  for (const at of count(0, sealed.length)) {
    const changed = sealed.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    damage(path, 'UPDATE batch SET sealed = ? WHERE first = 4', changed);
    const { findings } = verify(path);
    assert.ok(findings.length > 0, `byte ${at}`);
    assert.ok(
      findings.some(({ entries }) => entries !== undefined && entries.first >= 4),
      `byte ${at}: ${JSON.stringify(findings)}`,
    );
  }
  damage(path, 'UPDATE batch SET sealed = ? WHERE first = 4', sealed);
  assert.deepEqual(verify(path).findings, []);
});

const ATTACKS: [name: string, sql: string, expected: RegExp][] = [
  ['a deleted batch', 'DELETE FROM batch WHERE first = 1', /are missing/],
  ['a deleted tail', 'DELETE FROM batch WHERE first = 305', /are missing/],
  [
    'a batch moved behind the end',
    'UPDATE batch SET first = 9000 WHERE first = 305',
    /are missing/,
  ],
  ['a changed count', 'UPDATE batch SET count = 4 WHERE first = 300', /are missing|does not open/],
  ['a count of zero', 'UPDATE batch SET count = 0 WHERE first = 300', /are in a batch of 0/],
  [
    'a count beyond all measure',
    'UPDATE batch SET count = 1125899906842624 WHERE first = 300',
    /are in a batch of 1125899906842624/,
  ],
  [
    'two batches swapped',
    `UPDATE batch SET sealed = (SELECT sealed FROM batch AS other WHERE other.first =
       CASE batch.first WHEN 0 THEN 300 ELSE 0 END) WHERE first IN (0, 300)`,
    /does not open/,
  ],
  [
    'a changed leaf hash',
    'UPDATE tile SET hashes = zeroblob(8192) WHERE place = 0',
    /does not match its hash/,
  ],
  [
    'a changed inner hash',
    'UPDATE tile SET hashes = zeroblob(64) WHERE place >> 48 = 1',
    /have a changed hash above them/,
  ],
  ['a missing tile', 'DELETE FROM tile WHERE place = 1', /does not match its hash/],
  [
    'a tile of no level',
    'INSERT INTO tile VALUES (-1, zeroblob(8192))',
    /tile -1 of level -1 belongs to no tree/,
  ],
  [
    'an empty tile behind the last one',
    "INSERT INTO tile VALUES ((1 << 48) + 1, x'')",
    /tile 1 of level 1 belongs to no tree/,
  ],
  [
    'a shortened tile',
    'UPDATE tile SET hashes = zeroblob(32) WHERE place >> 48 = 1',
    /holds 1 hashes instead of 2/,
  ],
  [
    'a changed checkpoint',
    "UPDATE checkpoint SET note = replace(note, '600', '599') WHERE size = 600",
    /checkpoint at size 600 is not valid/,
  ],
  [
    'a checkpoint under another size',
    'UPDATE checkpoint SET size = 700 WHERE size = 600',
    /stored for size 700 is of size 600/,
  ],
  [
    'a deleted latest checkpoint',
    'DELETE FROM checkpoint WHERE size = 600',
    /stand behind the last checkpoint/,
  ],
  [
    'a deleted index row',
    'DELETE FROM segment WHERE key_ref = 1 AND first = 0',
    /are not in the index/,
  ],
  ['an added index row', "INSERT INTO segment VALUES (77, 0, x'000000000000')", /the index names/],
  [
    'a changed index row',
    "UPDATE segment SET batches = x'000000000001' WHERE key_ref = 1 AND first = 0",
    /are not in the index/,
  ],
  ['an index that claims more', 'UPDATE indexed SET until = 600', /are not in the index/],
  ['an index that claims less', 'UPDATE indexed SET until = 1', /the index names/],
];

for (const [name, sql, expected] of ATTACKS) {
  test(`finds ${name}`, (t) => {
    const path = temporaryLog(t);
    for (const batch of BATCHES) fill(path, [batch]);
    damage(path, sql);
    const { findings } = verify(path);
    assert.match(findings.map(({ what }) => what).join('\n'), expected);
  });
}

test('finds a log that another key signed', (t) => {
  const path = temporaryLog(t);
  const other = softwareKeyHandle('Ed25519', generatePrivateKey('Ed25519'));
  const log = new SealedLog(path, { ...deps, signer: other });
  log.append([pending(1, '1')]);
  log.close();
  assert.match(verify(path).findings[0]?.what ?? '', /not valid/);
});
