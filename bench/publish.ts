/**
 * How many signed QoS 1 readings a second become durable, and what each costs: everything on
 * (mutual TLS 1.3, authorization, HMAC, replay window, sealed durable journal, Merkle leaf).
 *
 *     npm run bench
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@holdfast/client';
import { enroll } from '@holdfast/device';
import { verifyData } from '@holdfast/server';
import type { Job, LoadResult } from './load.ts';

const DEVICES = 50;
const CASES: readonly {
  readonly name: string;
  readonly messages: number;
  readonly windowCount: number;
}[] = [
  { name: 'one at a time', messages: 200, windowCount: 1 },
  { name: 'window of 16', messages: 2_000, windowCount: 16 },
  { name: 'window of 64', messages: 2_000, windowCount: 64 },
];
const CLOCK_TICKS_PER_SECOND = 100;
const FLAGS = ['--disallow-code-generation-from-strings', '--disable-proto=throw'];
const COMMAND = join(import.meta.dirname, '../packages/cli/src/main.ts');

const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
const server = await startServer();
try {
  console.log(
    `${DEVICES} devices, 1 server process, 1 load process, payloads of about 150 bytes\n`,
  );
  console.log(
    'load              messages/s   server CPU µs   load CPU µs   p50 ms   p99 ms   max ms',
  );
  for (const [at, { name, messages, windowCount }] of CASES.entries()) {
    const bundles = await enrollDevices(at);
    const before = cpuUs(server.child);
    const result = await load({
      port: server.port,
      bundles,
      messagesPerDevice: messages,
      windowCount,
    });
    const serverUs = (cpuUs(server.child) - before) / result.acknowledged;
    const { p50, p99, max } = result.latencyMs;
    console.log(
      name.padEnd(16) +
        [
          (result.acknowledged / result.seconds).toFixed(0).padStart(12),
          serverUs.toFixed(1).padStart(16),
          (result.cpuUs / result.acknowledged).toFixed(1).padStart(14),
          ...[p50, p99, max].map((ms) => ms.toFixed(1).padStart(9)),
        ].join(''),
    );
  }
  server.child.kill('SIGTERM');
  await new Promise((resolve) => {
    server.child.on('close', resolve);
  });
  // The load counts what was acknowledged; the log, read from the disk, must have as many.
  const report = await verifyData({ dataDir: join(folder, 'data') });
  const expected = CASES.reduce((sum, { messages }) => sum + messages * DEVICES, 0);
  const bytes = statSync(join(folder, 'data/log.db')).size / report.entries;
  console.log(
    `\n${report.messages} of ${expected} messages are in the log, which ` +
      `${report.ok ? 'verifies' : 'DOES NOT VERIFY'}: ` +
      `${(report.entries / report.seconds).toFixed(0)} entries/s, ${bytes.toFixed(0)} bytes each`,
  );
} finally {
  server.child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
}

async function startServer(): Promise<{ child: ChildProcess; port: number }> {
  const ports = ['--broker-port', '0', '--api-port', '0', '--enroll-port', '0'];
  const args = [...FLAGS, COMMAND, 'up', '--data', join(folder, 'data'), ...ports];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  return new Promise((resolve, reject) => {
    child.on('close', () => reject(new Error(`the server ended: ${printed}`)));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      const port = /mqtts:\/\/localhost:(\d+)/.exec(printed)?.[1];
      if (port !== undefined && printed.includes('Ctrl-C')) resolve({ child, port: Number(port) });
    });
  });
}

async function enrollDevices(round: number): Promise<string[]> {
  const access = JSON.parse(readFileSync(join(folder, 'data/cli.json'), 'utf8')) as {
    url: string;
    token: string;
    anchorPem: string;
  };
  const client = createClient(access);
  const bundles: string[] = [];
  for (let n = 0; n < DEVICES; n += 1) {
    const id = `bench-${round}-${n}`;
    const { claim } = await client.addDevice({ id, class: 'sensor' });
    const out = join(folder, id);
    await enroll({ claim: claim.text, out });
    bundles.push(out);
  }
  client.close();
  return bundles;
}

function load(job: Job): Promise<LoadResult> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(job));
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(printed) as LoadResult);
      else reject(new Error(`the load ended with ${code}`));
    });
  });
}

/** Processor time of a process with all its threads, in microseconds. Linux only. */
function cpuUs({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks / CLOCK_TICKS_PER_SECOND) * 1_000_000;
}
