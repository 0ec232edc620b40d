/** Backups as the API shows them. @module */
import type { BackupList, BackupStatus, BackupSummary } from '@holdfast/protocol/api';
import type { BackupRun, Backups, Destination, Drill, ManifestHead } from '../backup/index.ts';

const HOUR_MS = 3_600_000;

/** How the backups are. */
export function backupStatusView({ run, records, keys, artifacts }: Backups): BackupStatus {
  const { place, isLeftOut } = artifacts;
  const { schedule, lastDrill } = records.settings;
  const behind = new Set(keys.pending().map(({ name }) => name));
  return {
    ...(run && { run: runView(run) }),
    destinations: records.destinations
      .all()
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((destination) => destinationView(destination, behind)),
    ...(schedule && { schedule: { to: schedule.to, everyHours: schedule.everyMs / HOUR_MS } }),
    artifacts: { ...(place !== undefined && { place }), isLeftOut },
    ...(lastDrill && { lastDrill: drillView(lastDrill) }),
  };
}

/** What stands in the status of the server; undefined where nobody has thought of backups. */
export function backupSummary({ records, keys }: Backups): BackupSummary | undefined {
  const destinations = records.destinations.all();
  const { schedule, lastDrill } = records.settings;
  if (destinations.length === 0 && schedule === undefined) return undefined;
  const behind = new Set(keys.pending().map(({ name }) => name));
  const lastAtMs = Math.max(0, ...destinations.map(({ lastBackup }) => lastBackup?.atMs ?? 0));
  const troubled = destinations.filter(({ name, failure }) => failure || behind.has(name));
  return {
    ...(lastAtMs > 0 && { lastAt: isoTime(lastAtMs) }),
    ...(lastDrill && { lastDrill: { at: isoTime(lastDrill.atMs), isGood: lastDrill.isGood } }),
    troubles: troubled.length,
  };
}

export function runView({
  to,
  startedAtMs,
  progress,
  outcome,
}: BackupRun): NonNullable<BackupStatus['run']> {
  const facts = { to, startedAt: isoTime(startedAtMs), ...progress };
  if (outcome === undefined) return { ...facts, state: 'running' };
  if ('failure' in outcome) {
    return { ...facts, state: 'failed', why: outcome.failure.slice(0, WHY_CHARACTERS_MAX) };
  }
  const { id: backup, checkpoint, artifacts } = outcome.made;
  return { ...facts, state: 'made', backup, checkpoint, ...(artifacts && { artifacts }) };
}

export function backupView(head: ManifestHead): BackupList['backups'][number] {
  const { id, at, software, custody, bytes, checkpoint } = head;
  return { id, at, software, custody, bytes, checkpoint };
}

function destinationView(
  { name, lastBackup, failure }: Destination,
  behind: ReadonlySet<string>,
): BackupStatus['destinations'][number] {
  return {
    name,
    ...(lastBackup && {
      lastBackup: {
        id: lastBackup.id,
        at: isoTime(lastBackup.atMs),
        bytes: lastBackup.bytes,
        newBytes: lastBackup.newBytes,
        ...(lastBackup.artifacts && { artifacts: lastBackup.artifacts }),
      },
    }),
    ...(failure && { failure: { at: isoTime(failure.atMs), what: failure.what } }),
    hasKeys: !behind.has(name),
  };
}

function drillView({ atMs, ...drill }: Drill): NonNullable<BackupStatus['lastDrill']> {
  return { at: isoTime(atMs), ...drill };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

const WHY_CHARACTERS_MAX = 1_000;
