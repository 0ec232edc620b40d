/** Figures about the running server, for Prometheus. @module */
import type { Refusal } from '@holdfast/protocol';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
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

/** What was counted since the start. */
export interface MetricTotals {
  readonly accepted: number;
  readonly dropped: number;
  readonly refused: Readonly<Record<string, number>>;
}

/** The metrics of one server. */
export interface Metrics {
  readonly registry: Registry;
  readonly countAccepted: () => void;
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
  /** Connects the gauges once their sources exist. */
  readonly watch: (sources: MetricSources) => void;
}

/** Makes the metrics in a registry of their own, so that several servers fit in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const totals = { accepted: 0, dropped: 0, refused: {} as Record<string, number> };
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
    countAccepted() {
      totals.accepted += 1;
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
    watchPublicName(endsAtMs) {
      const help = 'When the certificate of the public name ends, in seconds since 1970; or 0.';
      gauge('holdfast_public_certificate_end_seconds', help, () => endsAtMs() / 1_000);
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
