/**
 * A process that holds devices of a fleet. Takes its {@link Crew} as an argument and orders as
 * messages. Started by `bench/fleet.ts`.
 * @module
 */
import { setPriority } from 'node:os';
import { type Quantiles, PROBLEMS_MAX } from '../load/job.ts';
import { quantilesOf } from '../load/threads.ts';
import { FleetDevice } from './fleet-device.ts';
import { readFleet } from './fleet.ts';
import type { Answer, Connected, Crew, Order, Published } from './orders.ts';

/** How exactly messages are sent when they are due. */
const TICK_MS = 1;

const crew = JSON.parse(process.argv[2] ?? '') as Crew;
setPriority(crew.nice);
const { devices: members, anchorPem } = readFleet(crew.fleet);
const devices = members.slice(crew.from, crew.to).map((member, at) => {
  const localAddress = `127.0.1.${(at % crew.networks) + 1}`;
  return new FleetDevice({ member, port: crew.port, anchorPem, localAddress });
});
const publishing = { everyMs: 0, startMs: 0, sent: 0, skipped: 0 };
const pubackMs: number[] = [];
const latenessMs: number[] = [];
for (const device of devices) {
  device.onAcknowledged = (dueMs) => pubackMs.push(performance.now() - dueMs);
}
setInterval(publishDue, TICK_MS);

process.on('message', (order: Order) => {
  void carryOut(order).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit(0));
process.send?.({});

async function carryOut(order: Order): Promise<Answer> {
  switch (order.what) {
    case 'connect':
      return { connected: await connectAll() };
    case 'publish':
      Object.assign(publishing, { everyMs: order.everyMs, startMs: performance.now(), sent: 0 });
      return {};
    case 'report':
      return { published: report() };
    case 'drop':
      for (const device of devices) device.drop();
      return {};
  }
}

async function connectAll(): Promise<Connected> {
  const startMs = performance.now();
  const before = process.cpuUsage();
  const connackMs = await Promise.all(
    devices.map((device) => {
      device.retries = 0;
      const opened = new Promise<number>((resolve) => {
        device.onOpen = () => resolve(performance.now() - startMs);
      });
      device.connect();
      return opened;
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return {
    devices: devices.length,
    resumed: devices.filter(({ isResumed }) => isResumed).length,
    retries: sumOf(({ retries }) => retries),
    connackMs: quantilesOf(Float32Array.from(connackMs)),
    loadCpuUs: user + system,
    problems: takeProblems(),
  };
}

/** Each device has its own place in the period, so that all of them make an even stream. */
function publishDue(): void {
  const { everyMs, startMs } = publishing;
  if (everyMs === 0) return;
  const nowMs = performance.now();
  for (;;) {
    const dueMs = startMs + (publishing.sent * everyMs) / devices.length;
    if (dueMs > nowMs) return;
    const device = devices[publishing.sent % devices.length];
    publishing.sent += 1;
    if (device === undefined) return;
    if (!device.isOpen || device.waitingSinceMs !== 0) {
      publishing.skipped += 1;
    } else {
      latenessMs.push(nowMs - dueMs);
      device.publish(dueMs);
    }
  }
}

function report(): Published {
  const published = {
    acknowledged: pubackMs.length,
    skipped: publishing.skipped,
    pubackMs: takeQuantiles(pubackMs),
    latenessMs: takeQuantiles(latenessMs),
    lost: sumOf(({ lost }) => lost),
  };
  publishing.skipped = 0;
  for (const device of devices) device.lost = 0;
  return published;
}

function takeQuantiles(values: number[]): Quantiles {
  return quantilesOf(Float32Array.from(values.splice(0)));
}

function takeProblems(): string[] {
  const problems = new Set(devices.map(({ problem }) => problem));
  for (const device of devices) device.problem = undefined;
  return [...problems].filter((problem) => problem !== undefined).slice(0, PROBLEMS_MAX);
}

function sumOf(read: (device: FleetDevice) => number): number {
  return devices.reduce((sum, device) => sum + read(device), 0);
}
