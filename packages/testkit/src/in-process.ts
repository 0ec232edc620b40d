/** Runs a server inside the process of the test, its clock and its files in the test's hands. @module */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from '@holdfast/client';
import { type Bundle, enroll } from '@holdfast/device';
import type { AddDeviceRequest, RefusalView } from '@holdfast/protocol/api';
import { type RunningServer, type StartOptions, start } from '@holdfast/server';
import { localAccess } from './holdfast.ts';
import { onFreePorts } from './next-ports.ts';
import { waitFor } from './run.ts';

/** Without another refusal for so long, there are no more. */
const SETTLED_MS = 50;

/** The clock that a server is given. */
export type ServerClock = StartOptions['clock'];

/** A server that runs in this process, on a folder that is removed after the test. */
export interface InProcessServer {
  readonly dataDir: string;
  readonly ports: StartOptions['ports'];
  readonly info: RunningServer['info'];
  /** A client of its API, with the token of the data folder. */
  readonly client: Client;
  /**
   * Adds a device and enrolls it through the SDK. A sensor, unless told otherwise: it may send
   * 1,000 packets at once and 100 a second; for more a test needs a gateway.
   */
  enroll(id: string, deviceClass?: AddDeviceRequest['class']): Promise<Bundle>;
  /** A metric of the server, the sum over its labels; 0 when it was never counted. */
  metric(name: string): Promise<number>;
  /** Runs an attempt and waits for a refusal with this code, recorded since. */
  expectRefusal(code: string, attempt: () => unknown): Promise<RefusalView>;
  /** Codes of the refusals recorded while an attempt ran, oldest first. */
  refusedDuring(attempt: () => unknown): Promise<string[]>;
  /** Stops; a second call does nothing. */
  stop(): Promise<void>;
  /** Stops, and starts again on the same folder and ports. */
  restart(options?: {
    readonly clock?: ServerClock;
    readonly acme?: StartOptions['acme'];
  }): Promise<InProcessServer>;
}

/** Starts a server on free ports; it is stopped after the test. */
export async function startInProcess(
  t: TestContext,
  { clock, hosts = [], acme, log, s3 }: Partial<Omit<LaunchOptions, 'ports'>> = {},
): Promise<InProcessServer> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  let current: InProcessServer | undefined;
  // One hook for both: hooks run in the order of their making, and the files must go last.
  t.after(async () => {
    await current?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const launch: Launch = async (options) => {
    current = await startIn(folder, options, launch);
    return current;
  };
  return onFreePorts((ports) => launch({ clock, hosts, acme, log, s3, ports }));
}

/**
 * Starts a server on free ports in a folder that the test made, with a client of its API, for as
 * long as `use` takes.
 */
export async function withServer<T>(
  options: Omit<StartOptions, 'hosts' | 'ports' | 'onFatal'>,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const ports = { broker: 0, api: 0, enroll: 0 };
  const onFatal = (error: Error): never => assert.fail(error);
  const running = await start({ ...options, hosts: [], ports, onFatal });
  const access = readFileSync(join(options.dataDir, 'cli.json'), 'utf8');
  const client = createClient(JSON.parse(access) as Parameters<typeof createClient>[0]);
  try {
    return await use(client);
  } finally {
    client.close();
    await running.stop();
  }
}

type LaunchOptions = Pick<StartOptions, 'clock' | 'hosts' | 'ports' | 'acme' | 'log' | 's3'>;
type Launch = (options: LaunchOptions) => Promise<InProcessServer>;

async function startIn(
  folder: string,
  options: LaunchOptions,
  launch: Launch,
): Promise<InProcessServer> {
  const dataDir = join(folder, 'data');
  const onFatal = (error: Error): never => assert.fail(error);
  const running = await start({ dataDir, ...options, onFatal });
  const { info } = running;
  const ports = {
    broker: portOf(info.broker),
    api: portOf(info.api),
    enroll: portOf(info.enroll),
  };
  const client = createClient(localAccess(dataDir));
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    client.close();
    stopped ??= running.stop().then(({ isComplete }) => assert.ok(isComplete, 'all was stored'));
    return stopped;
  };
  return {
    dataDir,
    ports,
    info,
    client,
    stop,
    async restart({ clock, acme } = {}) {
      await stop();
      return launch({ ...options, clock, acme, ports });
    },
    metric: (name) => readMetric(localAccess(dataDir), name),
    async enroll(id, deviceClass = 'sensor') {
      const { claim } = await client.addDevice({ id, class: deviceClass });
      const bundles = join(folder, 'bundles');
      mkdirSync(bundles, { recursive: true });
      return enroll({ claim: claim.text, out: join(bundles, id) });
    },
    ...refusalsOf(client),
  };
}

function refusalsOf(client: Client): Pick<InProcessServer, 'expectRefusal' | 'refusedDuring'> {
  const newest = async (): Promise<number> => (await client.refusals({ limit: 1 }))[0]?.index ?? -1;
  const since = async (index: number): Promise<RefusalView[]> =>
    (await client.refusals({ limit: 1_000 })).filter((one) => one.index > index).toReversed();
  return {
    async expectRefusal(code, attempt) {
      const before = await newest();
      await attempt();
      return waitFor(`a refusal ${code}`, async () =>
        (await since(before)).find((refusal) => refusal.code === code),
      );
    },
    async refusedDuring(attempt) {
      const before = await newest();
      await attempt();
      // Who is refused over HTTPS hears of it before it is on the log.
      for (let seen = await since(before); ;) {
        await delay(SETTLED_MS);
        const now = await since(before);
        if (now.length === seen.length) return now.map(({ code }) => code);
        seen = now;
      }
    },
  };
}

async function readMetric(
  { url, token, anchorPem }: ReturnType<typeof localAccess>,
  name: string,
): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const body = await new Promise<string>((resolve, reject) => {
    const request = get(`${url}/metrics`, { ca: anchorPem, headers, agent: false }, (response) => {
      assert.equal(response.statusCode, 200);
      text(response).then(resolve, reject);
    });
    request.on('error', reject);
  });
  const lines = body.split('\n').filter((line) => /^[^ {]*/.exec(line)?.[0] === name);
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
