/** What the benchmark asks of the load process, and what it gets. @module */
import type { Level, Qos } from './frames.ts';
import type { MessageForm } from './messages.ts';

/** What all jobs know of the broker under test. */
export interface Broker {
  readonly port: number;
  /** Root of its process tree, whose processor time and memory are read. */
  readonly pid: number;
}

/** Who subscribes to what; `from` and `to` bound the places of the devices that it hears. */
export interface Subscription {
  /** Place among the services of the fleet. */
  readonly service: number;
  readonly filter: string;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** Devices publish, services subscribe: fan-in, pairs and fan-out; with a rate, latency. */
export interface FlowJob {
  readonly kind: 'flow';
  readonly broker: Broker;
  readonly fleet: string;
  readonly qos: Qos;
  readonly form: MessageForm;
  readonly subscriberLevel: Level;
  /** The first so many devices of the fleet publish. */
  readonly publishers: number;
  readonly subscriptions: readonly Subscription[];
  /** How many subscribers get each message. */
  readonly fanout: number;
  /** Most messages of all devices together, made and signed before the clock starts. */
  readonly messagesMax: number;
  /** Messages sent and not yet delivered, over all devices. */
  readonly outstanding: number;
  readonly publishThreads: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Messages a second, on a schedule that waits for nobody; without it, as fast as it goes. */
  readonly rate?: number | undefined;
}

/** What a flow gave, counted between the end of the warm-up and the end of the time. */
export interface FlowResult {
  readonly seconds: number;
  /** Messages delivered to subscribers. */
  readonly delivered: number;
  readonly brokerCpuUs: number;
  readonly loadCpuUs: number;
  /** Of everything else on the machine. */
  readonly otherCpuUs: number;
  /** The largest share of one core that a single thread of the load used, 0 to 1. */
  readonly busiestThread: number;
  readonly writtenBytes: number;
  /** Over the whole run, the warm-up included, once nothing came any more. */
  readonly total: FlowTotal;
  /** Milliseconds from when a message was due to its delivery; only with a rate. */
  readonly latencyMs?: Quantiles | undefined;
  /** Milliseconds by which the load itself was late. */
  readonly latenessMs?: Quantiles | undefined;
  readonly problems: readonly string[];
}

/** The balance of a run. */
export interface FlowTotal {
  readonly sent: number;
  readonly acknowledged: number;
  readonly expected: number;
  readonly lost: number;
  readonly duplicate: number;
  /** Messages that nobody sent. */
  readonly foreign: number;
  /** TLS records minus messages: 0 when each had its own; undefined when Node does not tell. */
  readonly recordsShared: number | undefined;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Connects each device once in full and once resumed. */
export interface ConnectJob {
  readonly kind: 'connect';
  readonly broker: Broker;
  readonly fleet: string;
  readonly devices: number;
  readonly concurrency: number;
}

/** Cost of connecting: TLS, CONNECT, CONNACK, DISCONNECT. */
export interface ConnectCost {
  readonly connects: number;
  readonly resumed: number;
  readonly seconds: number;
  readonly brokerCpuUs: number;
  readonly loadCpuUs: number;
}

export interface ConnectResult {
  readonly full: ConnectCost;
  readonly resumed: ConnectCost;
  readonly problems: readonly string[];
}

/** Connects devices that then say nothing. */
export interface IdleJob {
  readonly kind: 'idle';
  readonly broker: Broker;
  readonly fleet: string;
  readonly devices: number;
  readonly concurrency: number;
  readonly settleSeconds: number;
}

export interface IdleResult {
  readonly connections: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly problems: readonly string[];
}

export type Job = FlowJob | ConnectJob | IdleJob;
export type ResultOf<J extends Job> = J extends FlowJob
  ? FlowResult
  : J extends ConnectJob
    ? ConnectResult
    : IdleResult;

/** Most problems that one thread reports. */
export const PROBLEMS_MAX = 5;
