/** Measures what a connection costs: in full, resumed, and idle. @module */
import { setTimeout as delay } from 'node:timers/promises';
import { type Member, readFleet } from '../fleet/fleet.ts';
import { cpuUsOf, memoryBytesOf } from '../measure/process-tree.ts';
import { disconnectFrame } from './frames.ts';
import {
  type Broker,
  type ConnectCost,
  type ConnectJob,
  type ConnectResult,
  type IdleJob,
  type IdleResult,
  PROBLEMS_MAX,
} from './job.ts';
import { type Address, Link, openAll } from './link.ts';

/** The broker may still be ending connections when the last one is closed here. */
const SETTLE_MS = 500;
/** Connections that are made and closed before the memory is read for the first time. */
const IDLE_WARM_UP = 100;

/** Connects each device twice: in full, then with the ticket it got. */
export async function runConnects(job: ConnectJob): Promise<ConnectResult> {
  const { fleet, broker, devices, concurrency } = job;
  const { devices: members, anchorPem } = readFleet(fleet);
  const round = new ConnectRound({ port: broker.port, anchorPem }, broker);
  const measured = members.slice(0, devices);
  // Another fifth of the fleet first, in both ways: code is compiled and caches fill.
  const warm = members.slice(devices, devices + Math.ceil(devices / 5));
  await round.connect(warm, concurrency);
  await round.connect(warm, concurrency);
  const full = await round.connect(measured, concurrency);
  const resumed = await round.connect(measured, concurrency);
  return { full, resumed, problems: round.problems.slice(0, PROBLEMS_MAX) };
}

class ConnectRound {
  readonly problems: string[] = [];
  readonly #address: Address;
  readonly #broker: Broker;
  readonly #tickets = new Map<string, Buffer>();

  constructor(address: Address, broker: Broker) {
    this.#address = address;
    this.#broker = broker;
  }

  async connect(members: readonly Member[], concurrency: number): Promise<ConnectCost> {
    const before = this.#sample();
    let next = 0;
    let connects = 0;
    let resumed = 0;
    const work = async (): Promise<void> => {
      for (let at = next; at < members.length; at = next) {
        next += 1;
        const member = members[at];
        if (member === undefined) return;
        const wasResumed = await this.#connectOnce(member);
        if (wasResumed === undefined) continue;
        connects += 1;
        if (wasResumed) resumed += 1;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    const seconds = (performance.now() - before.atMs) / 1_000;
    await delay(SETTLE_MS);
    const after = this.#sample();
    return {
      connects,
      resumed,
      seconds,
      brokerCpuUs: after.brokerCpuUs - before.brokerCpuUs,
      loadCpuUs: after.loadCpuUs - before.loadCpuUs,
    };
  }

  /** Gives whether the session was resumed; undefined when it failed. */
  async #connectOnce(member: Member): Promise<boolean | undefined> {
    const session = this.#tickets.get(member.id);
    const link = new Link({ member, address: this.#address, level: 4, session, take: () => {} });
    try {
      await link.opened;
      const isResumed = link.socket.isSessionReused();
      await link.end(disconnectFrame());
      if (link.ticket !== undefined) this.#tickets.set(member.id, link.ticket);
      return isResumed;
    } catch (error) {
      this.problems.push(String(error));
      return undefined;
    }
  }

  #sample(): { atMs: number; brokerCpuUs: number; loadCpuUs: number } {
    const { user, system } = process.cpuUsage();
    return {
      atMs: performance.now(),
      brokerCpuUs: cpuUsOf(this.#broker.pid),
      loadCpuUs: user + system,
    };
  }
}

/** Connects devices, waits, and reads how much the broker has grown. */
export async function runIdle(job: IdleJob): Promise<IdleResult> {
  const { fleet, broker, devices, concurrency, settleSeconds } = job;
  const { devices: members, anchorPem } = readFleet(fleet);
  const address = { port: broker.port, anchorPem };
  const makers = members
    .slice(0, devices)
    .map((member) => () => new Link({ member, address, level: 4, take: () => {} }));
  const first = await openAll(makers.slice(0, IDLE_WARM_UP), concurrency);
  await Promise.all(first.map((link) => link.end(disconnectFrame())));
  await delay(settleSeconds * 1_000);
  const bytesBefore = memoryBytesOf(broker.pid);
  const links = await openAll(makers, concurrency);
  await delay(settleSeconds * 1_000);
  const bytesAfter = memoryBytesOf(broker.pid);
  const open = links.filter(({ isOpen }) => isOpen).length;
  const problems = links.map(({ problem }) => problem).filter((problem) => problem !== undefined);
  await Promise.all(links.map((link) => link.end()));
  return {
    connections: open,
    bytesBefore,
    bytesAfter,
    problems: problems.slice(0, PROBLEMS_MAX),
  };
}
