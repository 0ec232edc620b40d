/**
 * What the log costs: CPU a message in the journal's worker (sealing, hashing, signing, storing),
 * and bytes a message on the disk, by how many messages of one device come together in a batch.
 *
 *     node bench/journal.ts
 *     node bench/journal.ts --against ../another-checkout --rounds 5
 *
 * With another checkout, both are measured by turns in the same process.
 * @module
 */
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeEntry } from '@holdfast/protocol';
import type * as audit from '../packages/server/src/audit/index.ts';
import type * as crypto from '../packages/server/src/crypto/index.ts';
import type * as kernel from '../packages/server/src/kernel/index.ts';

const HELP = `node bench/journal.ts [options]

  --against FOLDER   another checkout of Holdfast, measured by turns with this one
  --rounds N         measurements of each case (default: 3)
  --messages N       messages of each measurement (default: 60000)`;

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    messages: { type: 'string', default: '60000' },
    help: { type: 'boolean', default: false },
  },
});

/** Messages of one device in a batch, and devices in it. */
const CASES = [
  { each: 1, devices: 1 },
  { each: 1, devices: 1_000 },
  { each: 8, devices: 125 },
  { each: 32, devices: 32 },
  { each: 1_000, devices: 1 },
] as const;

/** A batch that costs a disk write each is measured with fewer messages. */
const BATCHES_MAX = 1_500;

type Log = typeof audit;
type Kernel = typeof kernel;
type Crypto = typeof crypto;

interface Checkout {
  readonly name: string;
  readonly audit: Log;
  readonly kernel: Kernel;
  readonly crypto: Crypto;
}

async function load(name: string, folder: string): Promise<Checkout> {
  const part = async (which: string): Promise<unknown> =>
    import(pathToFileURL(join(folder, 'packages/server/src', which, 'index.ts')).href);
  return {
    name,
    audit: (await part('audit')) as Log,
    kernel: (await part('kernel')) as Kernel,
    crypto: (await part('crypto')) as Crypto,
  };
}

/** A signed reading of some 200 bytes, as an entry. */
function reading(device: number, counter: number): Uint8Array {
  const id = `pump-${device}`;
  const flow = Math.round(2_000 + 500 * Math.sin((counter + device) / 10)) / 100;
  const fields = `"ctr": ${counter}, "flow": ${flow}, "level": ${40 + ((counter + device) % 13)}`;
  const ts = 1_790_000_000_000 + 997 * counter;
  const sig = createHmac('sha256', id).update(`${counter}`).digest('hex');
  return encodeEntry({
    kind: 'message',
    atMs: ts + 3,
    principal: id,
    topic: `d/${id}/telemetry`,
    kid: '1.1',
    body: Buffer.from(`{${fields}, "sig": "${sig}", "ts": ${ts}}`),
    qos: 1,
  });
}

/** @returns microseconds of CPU, and bytes on the disk, of one message. */
function measure(
  { audit: { SealedLog }, kernel: { systemClock, systemRandom }, crypto: by }: Checkout,
  { each, devices }: { each: number; devices: number },
  messages: number,
): { cpuUs: number; bytes: number } {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  const path = join(folder, 'log.db');
  const keys = Array.from({ length: devices }, () => systemRandom(32));
  const signer = by.softwareKeyHandle('Ed25519', by.generatePrivateKey('Ed25519'));
  const keyOf = (keyRef: number): Uint8Array => keys[keyRef] ?? new Uint8Array(32);
  const made = { clock: systemClock, random: systemRandom };
  const log = new SealedLog(path, {
    ...made,
    origin: 'bench/log',
    signer,
    keyOf,
    layoutKeyRef: () => 1,
  });
  const batches = Math.min(BATCHES_MAX, Math.ceil(messages / (each * devices)));
  let cpuUs = 0;
  for (let batch = 0; batch < batches; batch += 1) {
    const entries = Array.from({ length: each * devices }, (_, at) => {
      const device = at % devices;
      const counter = batch * each + Math.floor(at / devices);
      return { keyRef: device, counterMax: counter, record: reading(device, counter) };
    });
    const before = process.cpuUsage();
    log.append(entries);
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
  }
  const { size } = log;
  log.close();
  const bytes = statSync(path).size / size;
  rmSync(folder, { recursive: true });
  return { cpuUs: cpuUs / size, bytes };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const checkouts = [await load('this', resolve(import.meta.dirname, '..'))];
if (values.against !== undefined) checkouts.push(await load('other', resolve(values.against)));
for (const one of CASES) {
  const runs = new Map(
    checkouts.map(({ name }) => [name, [] as { cpuUs: number; bytes: number }[]]),
  );
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const checkout of round % 2 === 0 ? checkouts : checkouts.toReversed()) {
      runs.get(checkout.name)?.push(measure(checkout, one, Number(values.messages)));
    }
  }
  for (const [name, all] of runs) {
    const cpu = median(all.map(({ cpuUs }) => cpuUs)).toFixed(2);
    const bytes = median(all.map((run) => run.bytes)).toFixed(0);
    const what = `${one.devices} devices with ${one.each} messages in a batch`;
    console.log(`${what.padEnd(46)} ${name.padEnd(6)} ${cpu} µs CPU and ${bytes} bytes a message`);
  }
}
