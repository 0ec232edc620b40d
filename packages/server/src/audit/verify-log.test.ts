import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { type ActName, encodeEntry } from '@holdfast/protocol';
import { type Checkpoint, Problem, verifyCheckpoint } from '@holdfast/protocol/merkle';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { systemClock, systemRandom } from '../kernel/index.ts';
import { actEntry } from './act.ts';
import { compareLogs } from './compare-logs.ts';
import { LogFiles } from './log-files.ts';
import { checkpointVerifier, sha256, verifierKeyText } from './log-key.ts';
import { SealedLog } from './sealed-log.ts';
import { type PendingEntry, expiredSegment, splitSegments } from './segment.ts';
import { type LogReport, verifyLog } from './verify-log.ts';

const origin = 'holdfast.test/log';
const signer = softwareKeyHandle('Ed25519', generatePrivateKey('Ed25519'));
const verifier = checkpointVerifier(verifierKeyText(origin, signer));
assert.ok(!(verifier instanceof Problem));
const ACTS = 9;

/** A log of which keys can be destroyed and segments can expire. */
class VerifyLab {
  readonly folder: string;
  readonly path: string;
  readonly keys = new Map([1, 2, 3, ACTS].map((ref) => [ref, systemRandom(32)] as const));
  readonly destroyed = new Set<number>();

  constructor(t: TestContext) {
    this.folder = mkdtempSync(join(tmpdir(), 'holdfast-verify-'));
    this.path = join(this.folder, 'log.db');
    t.after(() => rmSync(this.folder, { recursive: true }));
  }

  readonly keyOf = (ref: number): Uint8Array | undefined => {
    if (this.destroyed.has(ref)) return undefined;
    const key = this.keys.get(ref);
    assert.ok(key !== undefined, `no key ${ref}`);
    return key;
  };

  /** Appends batches; each number is a message under the key that the number mod 3 gives. */
  append(...batches: (number | PendingEntry)[][]): string {
    const keyOf = (ref: number): Uint8Array => this.keyOf(ref) ?? assert.fail(`${ref} is gone`);
    const gathered = { pairsMin: 2, pairsPerKeyMin: 0 };
    const made = { clock: systemClock, random: systemRandom, layoutKeyRef: () => ACTS };
    const deps = { ...made, origin, signer, keyOf, gathered };
    const log = new SealedLog(this.path, deps);
    for (const batch of batches) {
      log.append(batch.map((one) => (typeof one === 'number' ? message(one) : one)));
    }
    log.close();
    return log.checkpoint;
  }

  verify(more: Partial<Parameters<typeof verifyLog>[0]> = {}, path = this.path): LogReport {
    const files = LogFiles.openReadOnly(path);
    try {
      assert.ok(!(verifier instanceof Problem));
      const run = verifyLog({ files, verifier, keyOf: this.keyOf, ...more });
      for (;;) {
        const step = run.next();
        if (step.done === true) return step.value;
      }
    } finally {
      files.close();
    }
  }

  /** Puts a stub in the place of a segment. */
  expire(first: number, keyRef: number): void {
    this.change(first, (sealed) =>
      Buffer.concat(
        (splitSegments(sealed) ?? []).map((segment) =>
          segment.keyRef === keyRef ? expiredSegment(keyRef) : Buffer.from(segment.stored),
        ),
      ),
    );
  }

  change(first: number, edit: (sealed: Uint8Array) => Uint8Array): void {
    const database = new DatabaseSync(this.path);
    const sealed = database.prepare('SELECT sealed FROM batch WHERE first = ?').get(first)?.[
      'sealed'
    ];
    assert.ok(sealed instanceof Uint8Array);
    database.prepare('UPDATE batch SET sealed = ? WHERE first = ?').run(edit(sealed), first);
    database.close();
  }

  copy(name: string): string {
    const path = join(this.folder, name);
    cpSync(this.path, path);
    return path;
  }
}

function message(n: number): PendingEntry {
  const body = Buffer.from(String(n));
  const entry = { kind: 'message', atMs: 1, principal: 'd', topic: 't', kid: '1.1', body } as const;
  return { keyRef: (n % 3) + 1, counterMax: n, record: encodeEntry(entry) };
}

function act(action: ActName, facts: Record<string, unknown>): PendingEntry {
  const record = encodeEntry(actEntry({ action, principal: 'server', target: 'd', facts }, 1));
  return { keyRef: ACTS, counterMax: 0, record };
}

function textOf({ findings }: LogReport): string {
  return findings
    .map(({ entries, what }) => `${entries?.first}-${entries?.last} ${what}`)
    .join('\n');
}

function checked(note: string): Checkpoint {
  assert.ok(!(verifier instanceof Problem));
  const checkpoint = verifyCheckpoint(sha256, note, verifier);
  assert.ok(!(checkpoint instanceof Problem));
  return checkpoint;
}

const count = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, at) => from + at);

for (const action of ['device.erase', 'device.reset', 'device.give-away'] as const) {
  test(`erased entries are no finding when ${action} says so, also long after`, (t) => {
    const lab = new VerifyLab(t);
    lab.append(count(0, 30), count(30, 60), [act(action, { keyRefs: [2] })], [0, 2, 3]);
    lab.destroyed.add(2);
    const report = lab.verify();
    assert.deepEqual(report.findings, []);
    assert.equal(report.erased, 20);
    assert.equal(report.entries, 64 - 20);
  });
}

test('a destroyed key is a finding without an act, and with one about another key', (t) => {
  const lab = new VerifyLab(t);
  lab.append(count(0, 30), count(30, 60), [act('device.erase', { keyRefs: [3] })]);
  lab.destroyed.add(2);
  assert.match(textOf(lab.verify()), /^0-59 data key 2 was destroyed, and no act/u);
  lab.append([act('class.set', { keyRefs: [2] })]);
  assert.match(textOf(lab.verify()), /data key 2 was destroyed/u);
  lab.append([act('device.erase', { keyRefs: [3, 2] })]);
  assert.equal(textOf(lab.verify()), '');
});

/** A batch in which the segment of one key bears the number of another. */
function relabeled(sealed: Uint8Array, { from, to }: { from: number; to: number }): Buffer {
  const segments = splitSegments(sealed) ?? assert.fail();
  return Buffer.concat(
    segments.map(({ keyRef, stored }) => {
      const bytes = Buffer.from(stored);
      if (keyRef === from) bytes.writeUInt32BE(to, 0);
      return bytes;
    }),
  );
}

/** A log with an erasure of key 2 and an expiry of key 3, of which both left holes. */
function logWithHoles(t: TestContext): VerifyLab {
  const lab = new VerifyLab(t);
  const expiries = [{ keyRef: 3, before: 6 }];
  // Batches at 0, 6, 7, 8 and 10; keys 1, 2 and 3 in the first, 1 alone in the second to last.
  lab.append(
    count(0, 6),
    [act('log.expire', { expiries })],
    [act('device.erase', { keyRefs: [2] })],
  );
  lab.append([3, 6], [5]);
  lab.destroyed.add(2);
  lab.expire(0, 3);
  const { findings, erased, expired } = lab.verify();
  assert.deepEqual({ findings, erased, expired }, { findings: [], erased: 2, expired: 2 });
  return lab;
}

test('what a key sealed cannot be passed off as erased or expired', (t) => {
  const dropped = (sealed: Uint8Array): Buffer => {
    const others = splitSegments(sealed)?.filter(({ keyRef }) => keyRef !== 2) ?? assert.fail();
    return relabeled(Buffer.concat(others.map(({ stored }) => stored)), { from: 1, to: 2 });
  };
  const attacks: [batch: number, entries: string[], edit: (sealed: Uint8Array) => Buffer][] = [
    [0, ['0-0', '3-3'], (sealed) => relabeled(sealed, { from: 1, to: 2 })],
    [0, ['0-0', '3-3'], (sealed) => relabeled(sealed, { from: 1, to: 3 })],
    [0, ['0-0', '3-3'], dropped],
    [8, ['8-9'], (sealed) => relabeled(sealed, { from: 1, to: 2 })],
    [8, ['8-9'], () => Buffer.concat([expiredSegment(3)])],
  ];
  for (const [batch, entries, edit] of attacks) {
    const lab = logWithHoles(t);
    lab.change(batch, edit);
    const text = textOf(lab.verify());
    const last = batch === 0 ? 5 : 9;
    assert.ok(text.includes(`${batch}-${last} are not sealed by the data keys`), text);
    for (const one of entries) assert.ok(text.includes(`${one} does not open`), text);
  }
});

test('a layout that was changed, moved, or put under another key is a finding', (t) => {
  const others = [
    `UPDATE batch SET layout = (SELECT layout FROM batch WHERE first = 8) WHERE first = 0`,
    `UPDATE batch SET layout = x'' WHERE first = 0`,
    // Under the number of a key that was destroyed, and of one that never was.
    `UPDATE batch SET layout = CAST(x'00000002' || substr(layout, 5) AS BLOB) WHERE first = 0`,
    `UPDATE batch SET layout = CAST(x'00000001' || substr(layout, 5) AS BLOB) WHERE first = 0`,
    `UPDATE batch SET layout = substr(layout, 1, length(layout) - 1) WHERE first = 0`,
  ];
  for (const sql of others) {
    const lab = logWithHoles(t);
    const database = new DatabaseSync(lab.path);
    database.exec(sql);
    database.close();
    assert.match(textOf(lab.verify()), /^0-5 have a layout that does not open/mu, sql);
  }
});

test('damage beside erased entries is named, and not taken for an erasure', (t) => {
  const lab = new VerifyLab(t);
  lab.append(count(0, 30), [act('device.erase', { keyRefs: [2] })]);
  lab.destroyed.add(2);
  lab.change(0, (sealed) => {
    const changed = Buffer.from(sealed);
    // The first segment is that of key 1, which is there.
    changed[40] = (changed[40] ?? 0) ^ 1;
    return changed;
  });
  const report = lab.verify();
  assert.match(textOf(report), /^0-0 does not open.*\n3-3 does not open/u);
  assert.deepEqual([report.findings.length, report.erased], [10, 10]);
});

test('an expired segment is a finding unless an act says that it had expired', (t) => {
  const lab = new VerifyLab(t);
  lab.append(count(0, 30), count(30, 60));
  lab.expire(0, 1);
  assert.match(textOf(lab.verify()), /^0-29 what data key 1 sealed was removed, and no act/u);
  lab.append([act('log.expire', { expiries: [{ keyRef: 1, before: 30 }] })]);
  const report = lab.verify();
  assert.deepEqual(report.findings, []);
  assert.deepEqual([report.expired, report.erased], [10, 0]);
  lab.expire(30, 1);
  assert.match(textOf(lab.verify()), /^30-59 what data key 1 sealed was removed/u);
  lab.append([act('log.expire', { expiries: [{ keyRef: 1, before: 60 }] })]);
  assert.equal(textOf(lab.verify()), '');
});

test('rows that would hide entries from readers are named', (t) => {
  const changes: readonly (readonly [string, RegExp])[] = [
    [`INSERT INTO batch VALUES (35, 1, x'', x'')`, /^35-35 stand inside of another batch/u],
    [`INSERT INTO batch VALUES (95, 0, x'', x'')`, /^95-95 stand inside of another batch/u],
    [`INSERT INTO batch VALUES (-1, 1, x'', x'')`, /stand inside of another batch/u],
    // A search for the newest or the next batch of a key would end at such a row.
    [`INSERT INTO segment VALUES (1, 1, x'')`, /rows that lead nowhere/u],
    [`INSERT INTO segment VALUES (1, 1000, x'')`, /rows that lead nowhere/u],
    [`UPDATE segment SET first = first + 1 WHERE key_ref = 1`, /do not stand where they begin/u],
    // The replay window of a device begins behind what is noted as expired.
    [`INSERT INTO expiry VALUES (1, 90, 90)`, /data key 1 sealed is noted as expired/u],
    [`INSERT INTO expiry VALUES (1, 0, 30)`, /data key 1 sealed is noted as expired/u],
    [`INSERT INTO expiry VALUES (1, 30, 0)`, /data key 1 sealed is noted as expired/u],
    [`INSERT INTO expiring VALUES (1, 1000)`, /how far the index or the expiries/u],
    [
      `PRAGMA ignore_check_constraints = ON; INSERT INTO expiring VALUES (0, 1)`,
      /how far the index or the expiries/u,
    ],
    [
      `PRAGMA ignore_check_constraints = ON; INSERT INTO indexed VALUES (2, 1)`,
      /how far the index or the expiries/u,
    ],
  ];
  const lab = new VerifyLab(t);
  lab.append(count(0, 30), count(30, 60), count(60, 90), count(90, 99));
  assert.equal(textOf(lab.verify()), '');
  for (const [sql, finding] of changes) {
    const path = lab.copy('changed.db');
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
    assert.match(textOf(lab.verify({}, path)), finding, sql);
  }
});

test('damage of a page that leads to others is found, and a search over it ends', (t) => {
  const lab = new VerifyLab(t);
  lab.append(...Array.from({ length: 120 }, (_, at) => count(at * 3, at * 3 + 3)));
  const database = new DatabaseSync(lab.path, { readOnly: true });
  const row = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'batch'").get();
  database.close();
  const end = Number(row?.['rootpage']) * 4_096;
  const good = readFileSync(lab.path);
  assert.equal(good[end - 4_096], 5, 'it is an interior page');
  const path = join(lab.folder, 'changed.db');
  let found = 0;
  for (let at = end - 24; at < end; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      writeFileSync(path, good.with(at, (good[at] ?? 0) ^ (1 << bit)));
      if (lab.verify({}, path).findings.length > 0) found += 1;
    }
  }
  assert.ok(found > 100, `${found} found`);
});

test('what a schema does not have is refused, and so is what it has under another name', (t) => {
  const lab = new VerifyLab(t);
  lab.append(count(0, 30));
  const changes = [
    'ALTER TABLE expiry RENAME COLUMN key_ref TO key_raf',
    'CREATE TRIGGER t AFTER INSERT ON batch BEGIN DELETE FROM expiry; END',
    'CREATE TABLE more (x)',
    'CREATE VIEW more AS SELECT 1',
    'DROP TABLE expiring',
  ];
  for (const sql of changes) {
    const path = lab.copy('changed.db');
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
    const error = { code: 'E_PERSISTENCE_OPEN' };
    assert.throws(() => LogFiles.openReadOnly(path), error, sql);
    assert.throws(() => LogFiles.open(path), error, sql);
  }
});

test('an act that the log got while it was verified explains what went meanwhile', (t) => {
  const lab = new VerifyLab(t);
  lab.append(count(0, 30));
  const earlier = lab.copy('earlier.db');
  lab.append([act('device.erase', { keyRefs: [2] })]);
  lab.destroyed.add(2);
  let opened: LogFiles | undefined;
  const later = (): LogFiles => (opened = LogFiles.openReadOnly(lab.path));
  assert.match(textOf(lab.verify({}, earlier)), /data key 2 was destroyed/u);
  assert.equal(textOf(lab.verify({ later }, earlier)), '');
  opened?.close();
});

test('a verification goes on from a checkpoint, at any size, and misses nothing behind it', (t) => {
  const lab = new VerifyLab(t);
  const notes = [];
  for (const size of [1, 255, 256, 257, 600]) notes.push(lab.append(count(0, size)));
  const end = lab.append(count(0, 40));
  for (const note of [...notes, end]) {
    const since = checked(note);
    const report = lab.verify({ since });
    assert.deepEqual([textOf(report), report.since], ['', since.size]);
    assert.equal(report.entries, 1409 - since.size);
    assert.equal(report.root, lab.verify().root);
  }
  lab.change(1369, (sealed) => sealed.with(50, (sealed[50] ?? 0) ^ 1));
  for (const note of notes) {
    assert.match(textOf(lab.verify({ since: checked(note) })), /13\d\d-\d+ does not open/u);
  }
});

test('a log that was rewritten or set back under a checkpoint is named', (t) => {
  const lab = new VerifyLab(t);
  lab.append(count(0, 300));
  const older = lab.copy('older.db');
  const kept = checked(lab.append(count(300, 400)));
  const set = lab.append(count(400, 500));
  assert.equal(textOf(lab.verify({ against: kept })), '');
  assert.equal(textOf(lab.verify({ against: checked(set) })), '');
  assert.equal(textOf(lab.verify({ since: checked(set), against: kept })), '');
  const isBehind = /^300-399 the checkpoint that was given is of size 400, and this log ends/u;
  assert.match(textOf(lab.verify({ against: kept }, older)), isBehind);
  const isBefore = /^300-399 the checkpoint to begin at is of size 400, and this log ends before/u;
  assert.match(textOf(lab.verify({ since: kept }, older)), isBefore);
  const other = new VerifyLab(t);
  for (const [ref, key] of lab.keys) other.keys.set(ref, key);
  other.append(count(0, 400), count(400, 500));
  assert.match(textOf(other.verify({ against: kept })), /^0-399 .*the log was rewritten/u);
  assert.match(textOf(other.verify({ since: kept })), /^0-399 are not those that the checkpoint/u);
});

test('of two copies, one continues the other, or the first entry that differs is named', (t) => {
  const lab = new VerifyLab(t);
  lab.append(count(0, 300), count(300, 310));
  const [older, branch] = [lab.copy('older.db'), lab.copy('branch.db')];
  lab.append(count(310, 900));
  const compared = (a: string, b: string): string => {
    const [own, other] = [LogFiles.openReadOnly(a), LogFiles.openReadOnly(b)];
    assert.ok(!(verifier instanceof Problem));
    const { finding } = compareLogs(own, other, verifier);
    own.close();
    other.close();
    return finding === undefined ? '' : `${finding.entries?.first} ${finding.what}`;
  };
  assert.equal(compared(lab.path, older), '');
  assert.equal(compared(older, lab.path), '');
  assert.equal(compared(older, older), '');
  const other = new VerifyLab(t);
  for (const [ref, key] of lab.keys) other.keys.set(ref, key);
  cpSync(branch, other.path);
  other.append(count(310, 700));
  assert.match(compared(lab.path, other.path), /^310 .*entry 310 is the first that differs/u);
  assert.match(compared(other.path, lab.path), /^310 /u);
});
