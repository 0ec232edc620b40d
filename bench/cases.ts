/** What is measured: the cases, as jobs for the load. @module */
import type { FleetSize } from './fleet/fleet.ts';
import type { Qos } from './load/frames.ts';
import type { ConnectJob, FlowJob, IdleJob, Subscription } from './load/job.ts';

/** What a job gets from the broker under test and from the flags. */
type FromRun = 'broker' | 'fleet' | 'form' | 'subscriberLevel' | 'publishThreads';
export type FlowPlan = Omit<FlowJob, FromRun | 'rate'>;

/** A case of messages that flow. */
export interface FlowCase {
  readonly kind: 'flow';
  readonly name: string;
  readonly title: string;
  readonly plan: FlowPlan;
}

/** A case of messages on a schedule: shares of the capacity that a flow case measured. */
export interface LatencyCase {
  readonly kind: 'latency';
  readonly name: string;
  readonly title: string;
  readonly plan: FlowPlan;
  readonly share: number;
}

export interface ConnectCase {
  readonly kind: 'connect';
  readonly name: string;
  readonly title: string;
  readonly plan: Omit<ConnectJob, FromRun>;
}

export interface IdleCase {
  readonly kind: 'idle';
  readonly name: string;
  readonly title: string;
  readonly plan: Omit<IdleJob, FromRun>;
}

export type Case = FlowCase | LatencyCase | ConnectCase | IdleCase;

/** How large the cases are. */
interface Size {
  readonly fanIn: readonly number[];
  readonly pairs: number;
  readonly fanOut: number;
  readonly connects: number;
  readonly idle: number;
  readonly messagesMax: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly latencySeconds: number;
}

const FULL: Size = {
  fanIn: [200, 1_000],
  pairs: 100,
  fanOut: 500,
  connects: 1_000,
  idle: 5_000,
  messagesMax: 600_000,
  warmUpSeconds: 2,
  seconds: 5,
  latencySeconds: 10,
};

const QUICK: Size = {
  fanIn: [200],
  pairs: 50,
  fanOut: 100,
  connects: 200,
  idle: 500,
  messagesMax: 200_000,
  warmUpSeconds: 0.7,
  seconds: 1.5,
  latencySeconds: 2,
};

/** Messages on their way at a time, over all devices: what a busy broker has between two ticks. */
const OUTSTANDING = 8_000;
/** The same for fan-out, where each message is delivered many times. */
const OUTSTANDING_FAN_OUT = 16;
const HANDSHAKES = 16;
const LATENCY_SHARES = [0.2, 0.8];

/** All cases. */
export function casesOf({ isQuick }: { isQuick: boolean }): readonly Case[] {
  const size = isQuick ? QUICK : FULL;
  const bothQos = (make: (qos: Qos) => Case[]): Case[] => [...make(0), ...make(1)];
  const { connects, idle } = size;
  return [
    ...size.fanIn.flatMap((devices) => bothQos((qos) => [fanIn(size, devices, qos)])),
    ...bothQos((qos) => [flood(size, qos)]),
    ...bothQos((qos) => [pairs(size, qos)]),
    ...bothQos((qos) => [fanOut(size, qos)]),
    {
      kind: 'connect',
      name: 'connect',
      title: `Connects: ${connects} devices, TLS 1.3 mutual, full and resumed`,
      plan: { kind: 'connect', devices: connects, concurrency: HANDSHAKES },
    },
    {
      kind: 'idle',
      name: 'memory',
      title: `Memory of ${idle} idle connections`,
      plan: { kind: 'idle', devices: idle, concurrency: HANDSHAKES, settleSeconds: 3 },
    },
    ...bothQos((qos) => LATENCY_SHARES.map((share) => latency(size, qos, share))),
  ];
}

/** The case whose result is the capacity of a latency case. */
export function capacityCaseName({ plan }: LatencyCase): string {
  return `fan-in-${plan.publishers}-qos${plan.qos}`;
}

/** How many devices and services the cases need. */
export function fleetSizeOf(cases: readonly Case[]): FleetSize {
  const size = { devices: 0, services: 0 };
  for (const { kind, plan } of cases) {
    if (kind === 'connect') size.devices = Math.max(size.devices, Math.ceil(plan.devices * 1.2));
    else if (kind === 'idle') size.devices = Math.max(size.devices, plan.devices);
    else {
      size.devices = Math.max(size.devices, plan.publishers);
      size.services = Math.max(size.services, plan.subscriptions.length);
    }
  }
  return size;
}

function fanIn(size: Size, devices: number, qos: Qos): FlowCase {
  return {
    kind: 'flow',
    name: `fan-in-${devices}-qos${qos}`,
    title: `Fan-in: ${devices} devices, 1 subscriber, QoS ${qos}, 200 bytes`,
    plan: flow(size, { qos, publishers: devices, subscriptions: [everything(devices)], fanout: 1 }),
  };
}

/** Devices that send as fast as the connection takes it: the broker alone can hold them back. */
function flood(size: Size, qos: Qos): FlowCase {
  const [devices = 0] = size.fanIn;
  const { plan } = fanIn(size, devices, qos);
  return {
    kind: 'flow',
    name: `flood-${devices}-qos${qos}`,
    title: `Flood: ${devices} devices that wait for nobody, 1 subscriber, QoS ${qos}`,
    plan: { ...plan, outstanding: size.messagesMax },
  };
}

function pairs(size: Size, qos: Qos): FlowCase {
  const subscriptions = Array.from({ length: size.pairs }, (_, at) => ({
    service: at,
    filter: `d/${deviceId(at)}/telemetry`,
    from: at,
    to: at + 1,
  }));
  return {
    kind: 'flow',
    name: `pairs-${size.pairs}-qos${qos}`,
    title: `Pairs: ${size.pairs} devices, each with a subscriber of its own, QoS ${qos}`,
    plan: flow(size, { qos, publishers: size.pairs, subscriptions, fanout: 1 }),
  };
}

function fanOut(size: Size, qos: Qos): FlowCase {
  const filter = `d/${deviceId(0)}/telemetry`;
  const subscriptions = Array.from({ length: size.fanOut }, (_, at) => ({
    service: at,
    filter,
    from: 0,
    to: 1,
  }));
  const plan = flow(size, { qos, publishers: 1, subscriptions, fanout: size.fanOut });
  return {
    kind: 'flow',
    name: `fan-out-${size.fanOut}-qos${qos}`,
    title: `Fan-out: 1 device, ${size.fanOut} subscribers, QoS ${qos}`,
    plan: { ...plan, messagesMax: 5_000, outstanding: OUTSTANDING_FAN_OUT },
  };
}

function latency(size: Size, qos: Qos, share: number): LatencyCase {
  const [devices = 0] = size.fanIn;
  const { plan } = fanIn(size, devices, qos);
  return {
    kind: 'latency',
    name: `latency-qos${qos}-${share * 100}%`,
    title: `Latency at ${share * 100} % of its own fan-in capacity, ${devices} devices, QoS ${qos}`,
    plan: { ...plan, seconds: size.latencySeconds },
    share,
  };
}

type Shape = Pick<FlowPlan, 'qos' | 'publishers' | 'subscriptions' | 'fanout'>;

function flow(size: Size, shape: Shape): FlowPlan {
  const { messagesMax, warmUpSeconds, seconds } = size;
  return { kind: 'flow', ...shape, messagesMax, outstanding: OUTSTANDING, warmUpSeconds, seconds };
}

function everything(devices: number): Subscription {
  return { service: 0, filter: 'd/#', from: 0, to: devices };
}

/** Ids as `fleet/seed.ts` gives them. */
function deviceId(place: number): string {
  return `bench-${String(place).padStart(5, '0')}`;
}
