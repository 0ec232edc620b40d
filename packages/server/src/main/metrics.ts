/** Figures about the running server, for Prometheus. @module */
import type { Refusal } from '@holdfast/protocol';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

/** What the gauges read at each scrape. */
export interface MetricSources {
  readonly connections: () => number;
  readonly pendingBytes: () => number;
  readonly devices: () => number;
}

/** The metrics of one server. */
export interface Metrics {
  readonly registry: Registry;
  readonly countAccepted: () => void;
  readonly countRefusal: (refusal: Refusal) => void;
  /** Connects the gauges once their sources exist. */
  readonly watch: (sources: MetricSources) => void;
}

/** Makes the metrics in a registry of their own, so that several servers fit in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const accepted = new Counter({
    name: 'holdfast_messages_accepted_total',
    help: 'Messages that passed verification.',
    registers,
  });
  const refusals = new Counter({
    name: 'holdfast_refusals_total',
    help: 'Refusals of all stages, by code.',
    labelNames: ['code'],
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
    countAccepted: () => accepted.inc(),
    countRefusal: ({ code }) => refusals.inc({ code }),
    watch({ connections, pendingBytes, devices }) {
      gauge('holdfast_connections', 'Open MQTT connections.', connections);
      gauge('holdfast_journal_pending_bytes', 'Bytes that wait to be stored.', pendingBytes);
      gauge('holdfast_devices', 'Devices in the registry.', devices);
    },
  };
}
