/** A fleet, a release that fails on some of it, and a server that is killed in between. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@holdfast/client';
import type { RolloutRequest, RolloutView } from '@holdfast/protocol/api';
import {
  type DeviceDisk,
  type ServerProcess,
  UpdateDevice,
  isOfShare,
  newDisk,
  startServer,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';
import { People } from './firmware-people.ts';

const OLD = 'thermo@1.0.0';
const BAD = 'thermo@2.0.0';
const FIX = 'thermo@2.0.1';
const DEVICES = 100;
const FAILING = 0.08;
const WAIT_MS = 180_000;
const LOOK_MS = 200;

interface Member {
  readonly id: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Devices in this process: their disks outlive them. */
class FakeFleet {
  readonly #members: readonly Member[];
  readonly #anchorPem: string;
  readonly #url: string;
  readonly disks = new Map<string, DeviceDisk>();
  readonly #devices = new Map<string, UpdateDevice>();

  constructor(fleet: { devices: readonly Member[]; anchorPem: string }, url: string) {
    this.#members = fleet.devices;
    this.#anchorPem = fleet.anchorPem;
    this.#url = url;
    for (const { id } of this.#members) this.disks.set(id, newDisk(OLD));
  }

  start(): void {
    for (const member of this.#members) this.#start(member);
  }

  /** Kills some devices where they are, and starts them again. */
  async kill(every: number, offset: number): Promise<void> {
    const some = this.#members.filter((_, at) => at % every === offset % every);
    for (const { id } of some) this.#devices.get(id)?.kill();
    await Promise.all(some.flatMap(({ id }) => this.#devices.get(id)?.ended ?? []));
    for (const member of some) this.#start(member);
  }

  async stop(): Promise<void> {
    for (const device of this.#devices.values()) device.kill();
    await Promise.all([...this.#devices.values()].map(({ ended }) => ended));
  }

  /** How many devices run each release. */
  running(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { running } of this.disks.values()) counts[running] = (counts[running] ?? 0) + 1;
    return counts;
  }

  #start(member: Member): void {
    // What was in memory is gone: the device goes on from what was kept.
    const disk = structuredClone(this.disks.get(member.id) ?? newDisk(OLD));
    const keep = (kept: DeviceDisk): void => void this.disks.set(member.id, structuredClone(kept));
    const fails = (id: string, release: string): boolean =>
      release === BAD && isOfShare(id, FAILING);
    const facts = { anchorPem: this.#anchorPem, url: this.#url, pollMs: 1_000, stepMs: 20 };
    const device = new UpdateDevice({ ...member, ...facts, disk, keep, fails });
    this.#devices.set(member.id, device);
  }
}

/** A server that knows the devices, and has three releases; it comes back on the same ports. */
async function open(t: TestContext) {
  const folder = temporaryFolder(t);
  const seed = join(import.meta.dirname, '../../bench/fleet/seed.ts');
  const size = JSON.stringify({ folder, devices: DEVICES, services: 0 });
  const { status, stderr } = spawnSync(process.execPath, [seed, size], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const fleet = JSON.parse(readFileSync(join(folder, 'fleet.json'), 'utf8')) as {
    devices: Member[];
    anchorPem: string;
  };
  const dataDir = join(folder, 'data');
  const server = await startServer(t, { dataDir });
  const client = clientOf(server);
  const people = new People();
  await people.init(client);
  for (const version of ['1.0.0', '2.0.0', '2.0.1']) await people.release(client, version);
  const { broker, api, enroll } = server.ports;
  const args = ['--broker-port', broker, '--api-port', api, '--enroll-port', enroll].map(String);
  const restart = async (before: ServerProcess): Promise<ServerProcess> => {
    clientOf(before).close();
    await before.stop('SIGKILL');
    return startServer(t, { dataDir, args });
  };
  return { server, restart, fleet: new FakeFleet(fleet, `https://localhost:${enroll}`) };
}

/** One connection for each life of the server. */
const clients = new WeakMap<ServerProcess, Client>();

function clientOf(server: ServerProcess): Client {
  const client = clients.get(server) ?? server.client();
  clients.set(server, client);
  return client;
}

function ask<T>(server: ServerProcess, task: (client: Client) => Promise<T>): Promise<T> {
  return task(clientOf(server));
}

async function start(client: Client, request: RolloutRequest): Promise<string> {
  const { id } = await client.draftRollout(request);
  await client.startRollout(id, 'a test');
  return id;
}

async function until(
  server: ServerProcess,
  id: string,
  isSo: (rollout: RolloutView) => boolean,
): Promise<RolloutView> {
  let last: RolloutView | undefined;
  const look = (): Promise<RolloutView | undefined> =>
    ask(server, async (client) => {
      await wait(LOOK_MS);
      last = await client.rollout(id);
      return isSo(last) ? last : undefined;
    });
  try {
    return await waitFor(`the rollout ${id}`, look, WAIT_MS);
  } catch (cause) {
    const { state, counts } = last ?? {};
    throw new Error(`the rollout is ${state}: ${JSON.stringify(counts)}`, { cause });
  }
}

test('a bad release pauses by itself, through killed servers and devices', async (t) => {
  const { server: first, restart, fleet } = await open(t);
  let server = first;
  t.after(() => fleet.stop());
  fleet.start();
  const isTold = (client: Client): Promise<boolean> =>
    client
      .planRollout({ release: BAD, plan: { stages: [{ select: { percent: 100 } }] } })
      .then(({ devices }) => devices === DEVICES);
  await waitFor('all devices to tell their hardware', () => ask(server, isTold), WAIT_MS);

  const plan = {
    stages: [{ select: { percent: 100 } }],
    pauseOn: { failures: 0.04 },
    inProgressMax: 15,
  };
  const id = await ask(server, (client) => start(client, { release: BAD, plan }));
  await fleet.kill(5, 1);
  server = await restart(server);
  await fleet.kill(7, 2);
  server = await restart(server);
  await fleet.kill(3, 0);
  const isSettled = ({ state, counts }: RolloutView): boolean =>
    state === 'paused' && counts.offered + counts.downloading + counts.staged + counts.trial === 0;
  const paused = await until(server, id, isSettled);
  assert.equal(paused.stateBy, 'server');
  assert.match(paused.stateReason, /reverted; over 4 %/);
  assert.deepEqual(
    paused.reasons.map(({ why }) => why),
    ['no connection within 30 s'],
  );
  const { counts } = paused;
  assert.ok(counts.reverted > 0.04 * DEVICES);
  const states = Object.values(counts).reduce((sum, count) => sum + count, 0);
  assert.equal(states, paused.devices, 'the counts add up');
  for (const [device, disk] of fleet.disks) {
    if (isOfShare(device, FAILING)) assert.equal(disk.running, OLD, device);
  }
  t.diagnostic(`paused: ${JSON.stringify(fleet.running())}`);

  const acts = await ask(server, (client) => client.acts({ limit: 1_000 }));
  const pause = acts.find(({ action, target }) => action === 'rollout.pause' && target === id);
  assert.equal(pause?.principal, 'server');
  assert.equal(pause.facts?.['reverted'], Number(/(\d+) reverted/.exec(paused.stateReason)?.[1]));

  const forward = await ask(server, (client) =>
    client.forwardRollout(id, { release: FIX, reason: 'the fix' }),
  );
  server = await restart(server);
  const done = await until(
    server,
    forward.id,
    ({ counts: { confirmed } }) => confirmed === DEVICES,
  );
  assert.equal(done.devices, DEVICES);
  await waitFor('all devices to run the fix', () => fleet.running()[FIX] === DEVICES, WAIT_MS);
});
