/** Figures about the running server, for Prometheus. @module */
import type { Refusal } from '@holdfast/protocol';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { Witness } from '../audit/index.ts';
import type { DiskFigures } from '../journal/index.ts';
import type { DropReason } from '../session/index.ts';
import type { AdmissionCounts } from '../wire/index.ts';

/** What the gauges read at each scrape. */
export interface MetricSources {
  readonly connections: () => number;
  readonly sessions: () => number;
  readonly queued: () => number;
  readonly retained: () => number;
  readonly subscriptions: () => number;
  readonly pendingBytes: () => number;
  readonly devices: () => number;
}

/** What the gauges of the log read. */
export interface WitnessSources {
  readonly logSize: () => number;
  readonly witnesses: () => readonly Witness[];
}

/** When the newest version of a role of the update repositories ends. */
export interface MetadataEnd {
  readonly repository: string;
  readonly role: string;
  /** In milliseconds since 1970. */
  readonly expiresMs: number;
}

/** What was counted since the start. */
export interface MetricTotals {
  readonly accepted: number;
  readonly dropped: number;
  readonly refused: Readonly<Record<string, number>>;
}

/** The metrics of one server. */
export interface Metrics {
  readonly registry: Registry;
  readonly countAccepted: (message: { readonly isLate: boolean }) => void;
  readonly countRefusal: (refusal: Refusal) => void;
  /** Counts a message that was not brought to a subscriber. */
  readonly countDrop: (why: DropReason) => void;
  /** What was counted since the start; refusals by code. */
  readonly totals: () => MetricTotals;
  /** Shows how many connections are at which stage before their MQTT begins. */
  readonly watchAdmission: (counts: () => AdmissionCounts) => void;
  /** Counts an order of a certificate for the public name. */
  readonly countOrder: (outcome: 'success' | 'failure') => void;
  /** Shows when that certificate ends, in milliseconds since 1970. */
  readonly watchPublicName: (endsAtMs: () => number) => void;
  /** Shows how the disk is. */
  readonly watchDisk: (figures: () => DiskFigures) => void;
  /** Shows how far the log is, and how far witnesses have seen it. */
  readonly watchWitnesses: (sources: WitnessSources) => void;
  /** Counts a backup. */
  readonly countBackup: (outcome: 'success' | 'failure') => void;
  /** Shows when the last backup was made, and how many destinations an erasure has not reached. */
  readonly watchBackups: (read: () => { lastAtMs: number; pending: number }) => void;
  /** Shows how the keys are; `worn` is how much of what it may seal a key has used up, 0 to 1. */
  readonly watchKeys: (read: () => { version: number; left: number; worn: number }) => void;
  /** Counts a chunk of an artifact that was changed where it is kept. */
  readonly countArtifactDamage: () => void;
  /** Shows when the metadata of updates end. */
  readonly watchFirmware: (ends: () => readonly MetadataEnd[]) => void;
  /** Shows what devices download of updates: how many now, and how many bytes so far. */
  readonly watchDownloads: (read: () => { open: number; bytes: number }) => void;
  /** Shows the rollouts by state, and the devices of those that have not ended. */
  readonly watchRollouts: (
    counts: () => Readonly<Record<'rollouts' | 'devices', Readonly<Record<string, number>>>>,
  ) => void;
  /** Connects the gauges once their sources exist. */
  readonly watch: (sources: MetricSources) => void;
}

/** Makes the metrics in a registry of their own, so that several servers fit in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const totals = { accepted: 0, late: 0, dropped: 0, refused: {} as Record<string, number> };
  // Counted in a plain number, and shown when it is read: it is counted for each message.
  const accepted = new Counter({
    name: 'holdfast_messages_accepted_total',
    help: 'Messages that passed verification.',
    collect() {
      this.reset();
      this.inc(totals.accepted);
    },
    registers: [],
  });
  registry.registerMetric(accepted);
  const late = new Counter({
    name: 'holdfast_messages_late_total',
    help: 'Those of them that were held back, by an outage or on their way.',
    collect() {
      this.reset();
      this.inc(totals.late);
    },
    registers: [],
  });
  registry.registerMetric(late);
  const refusals = new Counter({
    name: 'holdfast_refusals_total',
    help: 'Refusals of all stages, by code.',
    labelNames: ['code'],
    registers,
  });
  const drops = new Counter({
    name: 'holdfast_messages_dropped_total',
    help: 'Messages that were not brought to a subscriber, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const orders = new Counter({
    name: 'holdfast_public_certificate_orders_total',
    help: 'Orders of a certificate for the public name, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const backups = new Counter({
    name: 'holdfast_backups_total',
    help: 'Backups, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const damages = new Counter({
    name: 'holdfast_firmware_artifact_damages_total',
    help: 'Chunks of artifacts that were changed or are missing where they are kept.',
    registers,
  });
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  return {
    registry,
    countAccepted({ isLate }) {
      totals.accepted += 1;
      if (isLate) totals.late += 1;
    },
    countRefusal({ code }) {
      totals.refused[code] = (totals.refused[code] ?? 0) + 1;
      refusals.inc({ code });
    },
    countDrop(reason) {
      totals.dropped += 1;
      drops.inc({ reason });
    },
    totals: () => ({ ...totals, refused: { ...totals.refused } }),
    watchAdmission(counts) {
      const show = (name: string, help: string, stage: keyof AdmissionCounts): void => {
        gauge(name, help, () => counts()[stage]);
      };
      show('holdfast_sockets', 'Connections of all listeners.', 'connections');
      show('holdfast_sockets_silent', 'Of these, without a first byte.', 'silent');
      show('holdfast_handshakes_waiting', 'TLS handshakes that wait for their turn.', 'waiting');
      show('holdfast_handshakes', 'TLS handshakes in progress.', 'handshakes');
      show('holdfast_sockets_turned_away', 'Closed as held off, since the start.', 'turnedAway');
    },
    countOrder(outcome) {
      orders.inc({ outcome });
    },
    countBackup(outcome) {
      backups.inc({ outcome });
    },
    watchBackups(read) {
      const last = 'When the last backup was made, in seconds since 1970; or 0.';
      gauge('holdfast_backup_last_seconds', last, () => read().lastAtMs / 1_000);
      const pending = 'Destinations of backups that do not know of the last erasure yet.';
      gauge('holdfast_backup_keys_pending', pending, () => read().pending);
    },
    watchKeys(read) {
      const version = 'Version of the key-encryption key that wraps.';
      gauge('holdfast_kek_version', version, () => read().version);
      const left = 'Data keys that still depend on a version before: a rotation is under way.';
      gauge('holdfast_kek_rotation_left', left, () => read().left);
      const worn = 'How much of what it may seal the most used data key has used up: 0 to 1.';
      gauge('holdfast_data_key_worn', worn, () => read().worn);
    },
    countArtifactDamage() {
      damages.inc();
    },
    watchFirmware(ends) {
      const end = new Gauge({
        name: 'holdfast_firmware_metadata_end_seconds',
        help: 'When the newest metadata of a role end, in seconds since 1970.',
        labelNames: ['repository', 'role'],
        registers: [],
        collect() {
          this.reset();
          for (const { repository, role, expiresMs } of ends()) {
            this.set({ repository, role }, expiresMs / 1_000);
          }
        },
      });
      registry.registerMetric(end);
    },
    watchDownloads(read) {
      const open = 'Downloads of updates on their way.';
      gauge('holdfast_firmware_downloads', open, () => read().open);
      const bytes = new Counter({
        name: 'holdfast_firmware_download_bytes_total',
        help: 'Bytes of updates that were sent to devices.',
        collect() {
          this.reset();
          this.inc(read().bytes);
        },
        registers: [],
      });
      registry.registerMetric(bytes);
    },
    watchPublicName(endsAtMs) {
      const help = 'When the certificate of the public name ends, in seconds since 1970; or 0.';
      gauge('holdfast_public_certificate_end_seconds', help, () => endsAtMs() / 1_000);
    },
    watchDisk(figures) {
      const free = 'Free bytes of the disk that has the data; -1 when the system does not tell.';
      gauge('holdfast_disk_free_bytes', free, () => figures().freeBytes ?? -1);
      const reserve = 'Free bytes below which no messages are taken.';
      gauge('holdfast_disk_reserve_bytes', reserve, () => figures().reserveBytes);
      const condition = new Gauge({
        name: 'holdfast_disk_condition',
        help: 'How the disk is: 1 for one of good, slow, failing and full.',
        labelNames: ['condition'],
        registers: [],
        collect() {
          this.reset();
          this.set({ condition: figures().condition }, 1);
        },
      });
      registry.registerMetric(condition);
    },
    watchWitnesses({ logSize, witnesses }) {
      const newest = (of: 'size' | 'atMs') => (): number =>
        Math.max(0, ...witnesses().map(({ latest }) => latest?.[of] ?? 0));
      const behind = (): number => witnesses().filter(({ alarm }) => alarm !== undefined).length;
      gauge('holdfast_log_entries', 'Entries of the audit log.', logSize);
      gauge('holdfast_log_witnessed_entries', 'Of these, seen by a witness.', newest('size'));
      const help = 'When a witness cosigned last, in seconds since 1970; 0 for never.';
      gauge('holdfast_log_witnessed_seconds', help, () => newest('atMs')() / 1_000);
      gauge('holdfast_log_behind_witnesses', 'Witnesses that have seen another log.', behind);
    },
    watchRollouts(counts) {
      const show = (name: string, help: string, of: 'rollouts' | 'devices'): void => {
        const shown = new Gauge({
          name,
          help,
          labelNames: ['state'],
          registers: [],
          collect() {
            this.reset();
            for (const [state, count] of Object.entries(counts()[of])) this.set({ state }, count);
          },
        });
        registry.registerMetric(shown);
      };
      show('holdfast_rollouts', 'Rollouts, by state.', 'rollouts');
      const help = 'Devices of rollouts that have not ended, by state.';
      show('holdfast_rollout_devices', help, 'devices');
    },
    watch({ connections, sessions, queued, retained, subscriptions, pendingBytes, devices }) {
      gauge('holdfast_sessions', 'MQTT sessions, connected or not.', sessions);
      gauge('holdfast_queued_messages', 'Messages that wait in sessions.', queued);
      gauge('holdfast_retained_messages', 'Retained messages.', retained);
      gauge('holdfast_subscriptions', 'Subscriptions of all sessions.', subscriptions);
      gauge('holdfast_connections', 'Open MQTT connections.', connections);
      gauge('holdfast_journal_pending_bytes', 'Bytes that wait to be stored.', pendingBytes);
      gauge('holdfast_devices', 'Devices in the registry.', devices);
    },
  };
}
