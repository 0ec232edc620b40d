/** Measures from the request to revoke until the devices see their connections closed. @module */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from '@holdfast/client';
import { FleetDevice } from '../fleet/fleet-device.ts';
import { readFleet } from '../fleet/fleet.ts';
import type { Quantiles } from '../load/job.ts';
import { quantilesOf } from '../load/threads.ts';

/** How long is waited for connections to close, in milliseconds. */
const WAIT_MS = 30_000;
/** Between two acts: who was cut off comes back meanwhile, and is refused. */
const PAUSE_MS = 2_000;

/** One act of revocation. */
export interface ClosingAct {
  readonly what: string;
  readonly devices: number;
  /** From sending the request until the device saw the end of its connection. */
  readonly closedMs: Quantiles;
  /** Until the request was answered: the registry and the audit log hold it then. */
  readonly answeredMs: number;
}

/** How it went. */
export interface ClosingFigures {
  readonly acts: readonly ClosingAct[];
  /** Devices that nobody revoked, and how many of them lost their connection. */
  readonly others: number;
  readonly othersLost: number;
}

interface Held {
  readonly id: string;
  readonly site: number;
  readonly device: FleetDevice;
  lostAtMs: number;
}

/** The client of the API of a server on this machine. */
export function localClient(dataDir: string): Client {
  const access = JSON.parse(readFileSync(join(dataDir, 'cli.json'), 'utf8')) as {
    url: string;
    token: string;
    anchorPem: string;
  };
  return createClient(access);
}

/** Connects the fleet, and revokes some one by one, then a class, then a group. */
export async function measureClosing(job: {
  fleet: string;
  dataDir: string;
  port: number;
  oneByOne: number;
}): Promise<ClosingFigures> {
  const client = localClient(job.dataDir);
  const held = await connectAll(job);
  const acts: ClosingAct[] = [];
  const site = (number: number): Held[] => held.filter((one) => one.site === number);
  const single = site(0).slice(0, job.oneByOne);
  const singles: number[] = [];
  let answeredMs = 0;
  for (const one of single) {
    const act = await revoke('one', [one], () => client.revokeDevice(one.id, 'bench'));
    singles.push(act.closedMs.p50);
    answeredMs += act.answeredMs / single.length;
  }
  const closedMs = quantilesOf(Float32Array.from(singles));
  acts.push({ what: 'one by one', devices: single.length, closedMs, answeredMs });
  const many = [
    ['a class', site(1), { class: 'actuator' }],
    ['a group', site(2), { group: 'site-2' }],
  ] as const;
  for (const [what, whom, select] of many) {
    await delay(PAUSE_MS);
    const request = { act: 'revoke', select, reason: 'bench' } as const;
    acts.push(await revoke(what, whom, () => client.actOnDevices(request)));
  }
  await delay(PAUSE_MS);
  const others = held.filter((one) => one.site === 3 || (one.site === 0 && !single.includes(one)));
  const othersLost = others.filter(({ device }) => device.lost > 0).length;
  for (const { device } of held) device.drop();
  client.close();
  return { acts, others: others.length, othersLost };
}

async function connectAll({ fleet, port }: { fleet: string; port: number }): Promise<Held[]> {
  const { devices, anchorPem } = readFleet(fleet);
  const held = devices.map((member, at): Held => {
    const device = new FleetDevice({ member, port, anchorPem, localAddress: '127.0.1.1' });
    return { id: member.id, site: at % 4, device, lostAtMs: 0 };
  });
  await Promise.all(
    held.map(async (one) => {
      one.device.onLost = () => (one.lostAtMs = performance.now());
      await new Promise<void>((resolve) => {
        one.device.onOpen = resolve;
        one.device.connect();
      });
    }),
  );
  return held;
}

async function revoke(
  what: string,
  whom: readonly Held[],
  act: () => Promise<unknown>,
): Promise<ClosingAct> {
  const startMs = performance.now();
  const closed = Promise.all(whom.map(lost));
  await act();
  const answeredMs = performance.now() - startMs;
  await closed;
  for (const { device } of whom) device.drop();
  const closedMs = quantilesOf(Float32Array.from(whom, ({ lostAtMs }) => lostAtMs - startMs));
  return { what, devices: whom.length, closedMs, answeredMs };
}

function lost(one: Held): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${one.id} is still connected`)), WAIT_MS);
    one.device.onLost = () => {
      one.lostAtMs = performance.now();
      clearTimeout(timer);
      resolve();
    };
  });
}
