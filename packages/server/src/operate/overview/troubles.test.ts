import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TroubleSchema } from '@holdfast/protocol/api';
import { UNNEEDED_BYTES_ALARM } from '../../update/index.ts';
import {
  BACKUP_LATE_FACTOR,
  CERTIFICATE_ALARM_MS,
  DISK_LOW_RESERVES,
  REFUSALS_SURGE_FACTOR,
  REFUSALS_SURGE_MIN,
  REFUSALS_SURGE_MS,
  VERIFICATION_LATE_MS,
} from '../limits.ts';
import { type TroubleFacts, troublesOf } from './troubles.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const DAY_MS = 86_400_000;
const RESERVE = 64_000_000;

const iso = (ms: number): string => new Date(ms).toISOString();

/** A server on which everything is well. */
function facts(change: Partial<TroubleFacts> = {}): TroubleFacts {
  return {
    at: iso(NOW_MS),
    nowMs: NOW_MS,
    version: '0.0.0',
    startedAt: iso(NOW_MS - DAY_MS),
    isReady: true,
    fleet: {
      total: 3,
      isWhole: true,
      byState: { active: 3 },
      byClass: { sensor: 3 },
      connected: 3,
      neverSeen: 0,
      unproven: 0,
      countedAt: iso(NOW_MS),
    },
    certificates: { ending: { count: 0, devices: [] }, ended: { count: 0, devices: [] } },
    traffic: { acceptedPerS: 1, refusedPerS: 0, connections: 3, sessions: 3 },
    refusals: { total: 0, byCode: [] },
    updates: { byState: {}, rollouts: [] },
    log: {
      size: 100,
      lastVerification: { at: iso(NOW_MS - DAY_MS), by: 'person:ada', ok: true, findings: 0 },
      witnesses: 1,
      isBehind: false,
    },
    logSinceMs: NOW_MS - 100 * DAY_MS,
    serverCertificate: { endsAt: iso(NOW_MS + 60 * DAY_MS) },
    disk: { condition: 'good', freeBytes: 100 * RESERVE, reserveBytes: RESERVE },
    backups: { lastAt: iso(NOW_MS - DAY_MS / 2), troubles: 0 },
    keys: { isRecoverable: true, isRotating: false },
    publicName: undefined,
    backupEveryMs: DAY_MS,
    authorityEndsMs: NOW_MS + 1_000 * DAY_MS,
    metadata: [],
    unneeded: undefined,
    recent: { lately: 0, before: 0, beforeMs: DAY_MS },
    refused: [],
    ...change,
  };
}

function codes(change: Partial<TroubleFacts>): string[] {
  return troublesOf(facts(change)).map(({ code }) => code);
}

test('where everything is well, nothing is said', () => {
  assert.deepEqual(troublesOf(facts()), []);
});

const base = facts();
const { log, fleet } = base;
assert.ok(log);
const verified = (change: object): Partial<TroubleFacts> => ({
  log: {
    ...log,
    lastVerification: { at: iso(NOW_MS), by: 'local', ok: false, findings: 0, ...change },
  },
});
const rollout = {
  id: '0a1b2c3d',
  release: 'pump@2.0.0',
  stateAt: iso(NOW_MS),
  devices: 10,
  confirmed: 2,
  failed: 3,
  stateReason: '3 of 5 devices failed',
};

const CASES: Readonly<
  Record<string, { readonly bad: Partial<TroubleFacts>; readonly good?: Partial<TroubleFacts> }>
> = {
  'disk-full': { bad: { disk: { condition: 'full', reserveBytes: RESERVE }, isReady: false } },
  'disk-failing': { bad: { isReady: false } },
  'disk-slow': { bad: { disk: { condition: 'slow', reserveBytes: RESERVE } } },
  'disk-low': {
    bad: {
      disk: {
        condition: 'good',
        freeBytes: RESERVE * DISK_LOW_RESERVES - 1,
        reserveBytes: RESERVE,
      },
    },
    good: {
      disk: { condition: 'good', freeBytes: RESERVE * DISK_LOW_RESERVES, reserveBytes: RESERVE },
    },
  },
  'artifacts-unneeded': {
    bad: { unneeded: { count: 3, bytes: UNNEEDED_BYTES_ALARM } },
    good: { unneeded: { count: 3, bytes: UNNEEDED_BYTES_ALARM - 1 } },
  },
  'server-certificate-ending': {
    bad: { serverCertificate: { endsAt: iso(NOW_MS + CERTIFICATE_ALARM_MS - 1) } },
    good: { serverCertificate: { endsAt: iso(NOW_MS + CERTIFICATE_ALARM_MS) } },
  },
  'public-certificate-missing': { bad: { publicName: { endsMs: 0, isLate: true } } },
  'public-certificate-ending': {
    bad: { publicName: { endsMs: NOW_MS + DAY_MS, isLate: true } },
    good: { publicName: { endsMs: NOW_MS + DAY_MS, isLate: false } },
  },
  'authority-ending': {
    bad: { authorityEndsMs: NOW_MS + 179 * DAY_MS },
    good: { authorityEndsMs: NOW_MS + 180 * DAY_MS },
  },
  'backups-none': { bad: { backups: undefined, backupEveryMs: undefined } },
  'backups-failing': { bad: { backups: { lastAt: iso(NOW_MS), troubles: 1 } } },
  'backups-late': {
    bad: { backups: { lastAt: iso(NOW_MS - BACKUP_LATE_FACTOR * DAY_MS - 1), troubles: 0 } },
    good: { backups: { lastAt: iso(NOW_MS - BACKUP_LATE_FACTOR * DAY_MS), troubles: 0 } },
  },
  'backup-drill-failed': {
    bad: {
      backups: { lastAt: iso(NOW_MS), troubles: 0, lastDrill: { at: iso(NOW_MS), isGood: false } },
    },
    good: {
      backups: { lastAt: iso(NOW_MS), troubles: 0, lastDrill: { at: iso(NOW_MS), isGood: true } },
    },
  },
  'log-behind-witness': { bad: { log: { ...log, isBehind: true } } },
  'log-not-good': { bad: verified({ findings: 2 }) },
  'log-verification-failed': { bad: verified({ why: 'no thread' }) },
  'log-not-verified': {
    bad: verified({ ok: true, at: iso(NOW_MS - VERIFICATION_LATE_MS) }),
    good: verified({ ok: true, at: iso(NOW_MS - VERIFICATION_LATE_MS + 1) }),
  },
  'witnesses-none': { bad: { log: { ...log, witnesses: 0 } } },
  'metadata-ending': {
    bad: { metadata: [{ repository: 'image', role: 'root', expiresMs: NOW_MS + DAY_MS }] },
  },
  'keys-not-recoverable': { bad: { keys: { isRecoverable: false, isRotating: false } } },
  'devices-refused': {
    bad: { refused: [{ id: 'pump-1', count: 5, what: 'The signature does not match.' }] },
  },
  'refusals-surge': {
    bad: { recent: { lately: REFUSALS_SURGE_MIN, before: 0, beforeMs: DAY_MS } },
    good: { recent: { lately: REFUSALS_SURGE_MIN - 1, before: 0, beforeMs: DAY_MS } },
  },
  'devices-quarantined': { bad: { fleet: { ...fleet, byState: { quarantined: 1 } } } },
  'devices-unproven': { bad: { fleet: { ...fleet, unproven: 2 } } },
  'certificates-ended': {
    bad: { certificates: { ...base.certificates, ended: { count: 12, devices: ['a', 'b'] } } },
  },
  'certificates-ending': {
    bad: { certificates: { ...base.certificates, ending: { count: 1, devices: ['a'] } } },
  },
  'rollout-paused': {
    bad: {
      updates: { byState: {}, rollouts: [{ ...rollout, state: 'paused', stateBy: 'server' }] },
    },
    good: {
      updates: { byState: {}, rollouts: [{ ...rollout, state: 'paused', stateBy: 'person:ada' }] },
    },
  },
  'rollout-waits': {
    bad: {
      updates: {
        byState: {},
        rollouts: [{ ...rollout, state: 'waiting-approval', stateBy: 'person:ada' }],
      },
    },
  },
  'updates-failed': {
    bad: { updates: { byState: { failed: 1, reverted: 1 }, rollouts: [] } },
    good: { updates: { byState: { confirmed: 5 }, rollouts: [] } },
  },
  'devices-none': {
    bad: { fleet: { ...fleet, total: 0 } },
    good: { fleet: { ...fleet, total: 0, isWhole: false } },
  },
};

for (const [code, { bad, good }] of Object.entries(CASES)) {
  test(`${code} is told, with what it means and what to do`, () => {
    const found = troublesOf(facts(bad));
    assert.deepEqual(
      found.map((trouble) => trouble.code),
      [code],
    );
    const [trouble] = found;
    const { title, why, fix, href } = TroubleSchema.parse(trouble);
    assert.ok(!title.endsWith('.') && why.length > 5 && fix.endsWith('.'), title);
    assert.ok(href.startsWith('/'));
    if (good !== undefined) assert.deepEqual(codes(good), []);
  });
}

test('a log that was never verified is told once it is old enough', () => {
  const { lastVerification: _last, ...never } = log;
  const since = (ms: number): string[] => codes({ log: never, logSinceMs: NOW_MS - ms });
  assert.deepEqual(since(VERIFICATION_LATE_MS - 1), []);
  assert.deepEqual(since(VERIFICATION_LATE_MS), ['log-not-verified']);
});

test('many refusals are a surge only where there are usually far fewer', () => {
  const lately = 1_000;
  const usual = (lately / REFUSALS_SURGE_FACTOR) * (DAY_MS / REFUSALS_SURGE_MS);
  const recent = (before: number): Partial<TroubleFacts> => ({
    recent: { lately, before, beforeMs: DAY_MS },
  });
  assert.deepEqual(codes(recent(usual)), ['refusals-surge']);
  assert.deepEqual(codes(recent(usual + 1_000)), []);
});

test('who may not see the log, updates or refusals is told nothing of them', () => {
  assert.deepEqual(codes({ log: undefined, updates: undefined, recent: undefined }), []);
});

test('what has ended is worse than what ends soon, and the worst stands first', () => {
  const ended: Partial<TroubleFacts> = {
    serverCertificate: { endsAt: iso(NOW_MS - DAY_MS) },
    fleet: { ...fleet, byState: { quarantined: 3 } },
    log: { ...log, witnesses: 0, isBehind: true },
  };
  assert.deepEqual(
    troublesOf(facts(ended)).map(({ severity, code }) => [severity, code]),
    [
      ['critical', 'server-certificate-ending'],
      ['critical', 'log-behind-witness'],
      ['warning', 'devices-quarantined'],
      ['advice', 'witnesses-none'],
    ],
  );
  const [first] = troublesOf(facts(ended));
  assert.equal(first?.title, 'The certificate of this server ended 1 day ago');
});
