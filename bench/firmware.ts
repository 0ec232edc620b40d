/**
 * What firmware updates cost the server: how long it takes to publish a release, by the size of the
 * fleet; what the director does when all devices of it ask; what artifacts at rest cost; and what a
 * download over mutual TLS costs the server.
 *
 *     node bench/firmware.ts
 *     node bench/firmware.ts --devices 100 --megabytes 16
 *
 * All but the download is measured in this process, without a network. Needs Linux.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { enroll } from '@holdfast/device';
import { ReleaseCustomSchema, releaseId } from '@holdfast/firmware';
import { parseDeviceId } from '@holdfast/protocol';
import { folderBucket } from '../packages/server/src/buckets/index.ts';
import {
  Secret,
  createLog,
  systemClock,
  systemRandom,
} from '../packages/server/src/kernel/index.ts';
import {
  madeRequestView,
  onlineKeysView,
  releaseViews,
  requestView,
} from '../packages/server/src/operate/firmware-views.ts';
import { SealedStore } from '../packages/server/src/persistence/index.ts';
import { DeviceRegistry, Manufacturers } from '../packages/server/src/registry/index.ts';
import { type UpdateParts, openUpdateParts } from '../packages/server/src/update/index.ts';
import {
  type FirmwareApi,
  People,
  present,
  sourceOf,
} from '../test/integration/firmware-people.ts';
import { startProcess } from './brokers/run-process.ts';
import { cpuUsOf } from './measure/process-tree.ts';
import { localClient } from './revocation/closing.ts';

const HELP = `node bench/firmware.ts [options]

  --devices N,N      sizes of the fleet (default: 100,2000,10000)
  --releases N       releases of the line before (default: 50)
  --megabytes N      size of the artifact that is downloaded (default: 64)
  --out FOLDER       where firmware.json is written (default: bench/results)`;

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '100,2000,10000' },
    releases: { type: 'string', default: '50' },
    megabytes: { type: 'string', default: '64' },
    out: { type: 'string', default: join(import.meta.dirname, 'results') },
    help: { type: 'boolean', default: false },
  },
});

const MIB = 1_048_576;
const DOWNLOADS = 3;
const ROUNDS = 5;

if (values.help) console.log(HELP);
else await run();

async function run(): Promise<void> {
  console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? ''}, Node ${process.version}`);
  const fleets = [];
  for (const devices of values.devices.split(',').map(Number)) {
    const figures = await measureFleet(devices);
    console.log(figures);
    fleets.push(figures);
  }
  const download = await measureDownload(Number(values.megabytes));
  console.log(download);
  mkdirSync(values.out, { recursive: true });
  const text = `${JSON.stringify({ fleets, download }, undefined, 2)}\n`;
  writeFileSync(join(values.out, 'firmware.json'), text);
}

/** One server's updates without the server. */
interface Bench extends Disposable {
  readonly updates: UpdateParts;
  readonly people: People;
}

function openBench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-firmware-'));
  const custody = { unsealKey: new Secret(systemRandom(32)), random: systemRandom };
  const store = new SealedStore(join(folder, 'registry.db'), custody, { clock: systemClock });
  const registry = new DeviceRegistry(store, { clock: systemClock });
  const updates = openUpdateParts({
    clock: systemClock,
    random: systemRandom,
    log: createLog({ form: 'json', level: 'silent', write: () => {} }),
    store,
    registry,
    manufacturers: new Manufacturers(store, { clock: systemClock, registry }),
    recordAct: () => Promise.resolve(),
    recordEvent: () => Promise.resolve(),
    bucket: folderBucket(join(folder, 'firmware')),
  });
  return {
    updates,
    people: new People(),
    [Symbol.dispose]: () => {
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** What the API does, without HTTP. */
function localApi({ releases, artifacts, keys, ...rest }: UpdateParts): FirmwareApi {
  const by = 'person:bench';
  return {
    onlineKeys: async () => onlineKeysView(keys, releases.published),
    makeSigningRequest: async ({ documents }) =>
      madeRequestView(present(await releases.makeRequest(documents, by)), releases),
    submitSignatures: async (file) => {
      const { isPublished, ...standing } = present(await releases.submit(file, by));
      return { isPublished, request: requestView(standing) };
    },
    uploadArtifact: async ({ length, read }) =>
      present(await artifacts.put(await read(0, length), by)),
    proposeRelease: async ({ sha256, fileName, release }) => {
      const custom = ReleaseCustomSchema.parse(release);
      const { length } = present(artifacts.get(sha256));
      const { line, version } = custom;
      const path = `${line}/${version}/${fileName}`;
      const add = { id: releaseId(custom), path, length, sha256, custom };
      return madeRequestView(present(await releases.proposeLine({ line, add }, by)), releases);
    },
    releases: async () => releaseViews({ releases, artifacts, keys, ...rest }),
  };
}

async function measureFleet(size: number): Promise<Record<string, number>> {
  using bench = openBench();
  const { updates, people } = bench;
  const { releases, director } = updates;
  const api = localApi(updates);
  await people.init(api);
  for (let at = 0; at < Number(values.releases); at += 1) await people.release(api, `1.0.${at}`);
  const ids = Array.from({ length: size }, (_, at) => present(parseDeviceId(`device-${at}`)));
  const [first] = releases.list();
  const assignMs = await milliseconds(() => director.assignMany(ids, first));
  const publishMs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const proposed = await people.propose(api, `2.0.${round}`);
    await people.sign(api, proposed, people.ann);
    publishMs.push(await milliseconds(() => people.sign(api, proposed, people.bob)));
  }
  const ask = (): void => {
    for (const id of ids) director.metadata(id, 'timestamp.json');
  };
  const before = director.signatures;
  const cpuBefore = process.cpuUsage();
  const newMs = await milliseconds(ask);
  const newCpu = process.cpuUsage(cpuBefore);
  const signatures = director.signatures - before;
  const knownMs = await milliseconds(ask);
  const pollMs = await milliseconds(() => {
    for (const id of ids) director.revision(id);
  });
  return {
    devices: size,
    publishMs: median(publishMs),
    assignUsPerDevice: (assignMs * 1_000) / size,
    newAnswersPerSecond: Math.round((size * 1_000) / newMs),
    newAnswerCpuUs: Math.round((newCpu.user + newCpu.system) / size),
    signaturesOfNewAnswers: signatures,
    knownAnswersPerSecond: Math.round((size * 1_000) / knownMs),
    revisionsPerSecond: Math.round((size * 1_000) / pollMs),
  };
}

/** A real server in a process of its own, and one device after the other. */
async function measureDownload(megabytes: number): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-firmware-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'data');
  const ports = ['--broker-port', '0', '--api-port', '0', '--enroll-port', '0'];
  const rates = ['--update-rate-total', '4194304', '--update-rate-device', '4194304'];
  const main = join(import.meta.dirname, '../packages/cli/bin/holdfast.js');
  const args = [main, 'up', '--data', dataDir, '--log', 'json', ...ports, ...rates];
  const server = startProcess(process.execPath, args, { folder });
  try {
    const client = await untilUp(() => localClient(dataDir));
    const people = new People();
    await people.init(client);
    const bytes = randomBytes(megabytes * MIB);
    const uploadCpu = cpuUsOf(server.pid);
    await client.uploadArtifact(sourceOf(bytes));
    const uploadUs = cpuUsOf(server.pid) - uploadCpu;
    const release = await people.release(client, '1.0.0', bytes);
    const { claim } = await client.addDevice({ id: 'pump-1', class: 'gateway' });
    const bundle = await enroll({ claim: claim.text, out: join(folder, 'pump-1') });
    await client.assignRelease('pump-1', { release: release.id });
    const agent = new Agent({
      ca: bundle.anchorPem,
      cert: readFileSync(join(bundle.folder, 'client.crt')),
      key: readFileSync(join(bundle.folder, 'client.key')),
      allowPartialTrustChain: true,
      keepAlive: true,
    });
    const { enroll: origin } = await client.server();
    const url = `${origin}/update/v1/artifact/${release.sha256}`;
    await download(url, agent);
    const cpu = cpuUsOf(server.pid);
    const ms = await milliseconds(async () => {
      for (let at = 0; at < DOWNLOADS; at += 1) await download(url, agent);
    });
    const us = cpuUsOf(server.pid) - cpu;
    agent.destroy();
    client.close();
    return {
      megabytes,
      uploadCpuMsPerMegabyte: uploadUs / 1_000 / megabytes,
      downloadCpuMsPerMegabyte: us / 1_000 / megabytes / DOWNLOADS,
      downloadMegabytesPerSecond: (megabytes * DOWNLOADS * 1_000) / ms,
    };
  } finally {
    await server.stop();
  }
}

async function untilUp<T>(open: () => T): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return open();
    } catch (error) {
      if (attempt > 300) throw error;
      await delay(200);
    }
  }
}

function download(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
      answer.on('end', () => resolve(bytes));
      answer.on('error', reject);
      if (answer.statusCode !== 200) reject(new Error(`status ${answer.statusCode}`));
    });
    asked.on('error', reject).end();
  });
}

async function milliseconds(task: () => unknown): Promise<number> {
  const start = performance.now();
  await task();
  return performance.now() - start;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
