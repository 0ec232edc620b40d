/** Fills a log and the series of it, and asks. @module */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeEntry } from '@holdfast/protocol';
import { LiveLog, SealedLog } from '../../packages/server/src/audit/index.ts';
import { generatePrivateKey, softwareKeyHandle } from '../../packages/server/src/crypto/index.ts';
import { systemClock, systemRandom } from '../../packages/server/src/kernel/index.ts';
import { SeriesEngine } from '../../packages/server/src/telemetry/series/series-engine.ts';
import { SeriesFile } from '../../packages/server/src/telemetry/series/series-file.ts';
import type { RequestMessage } from '../../packages/server/src/telemetry/series/worker-messages.ts';
import { END_MS, PER_MESSAGE, YEAR_MS, messages } from './readings.ts';

const BATCH = 5_000;
const DAY_MS = 86_400_000;
const ROUNDS = 21;

/** What a query took, in milliseconds. */
export interface Timed {
  readonly firstMs: number;
  readonly medianMs: number;
  readonly worstMs: number;
  readonly points: number;
}

/** What was measured at one size. */
export interface Measured {
  readonly readings: number;
  readonly devices: number;
  /** Microseconds of the processor for each reading. */
  readonly logCpuUs: number;
  readonly seriesCpuUs: number;
  /** Bytes on the disk for each reading. */
  readonly jsonBytes: number;
  readonly logBytes: number;
  readonly seriesBytes: number;
  readonly queries: Readonly<Record<string, Timed>>;
}

/** Measures at one size, in a folder of its own. */
export async function measure(readings: number, devices: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-series-'));
  // The timers of the server's clock do not keep a process alive.
  const alive = setInterval(() => {}, 60_000);
  try {
    return await measureIn(folder, readings, devices);
  } finally {
    clearInterval(alive);
    rmSync(folder, { recursive: true });
  }
}

async function measureIn(folder: string, readings: number, devices: number): Promise<Measured> {
  const keys = Array.from({ length: devices + 1 }, () => systemRandom(32));
  const keyOf = (ref: number): Uint8Array => keys[ref] ?? new Uint8Array(32);
  const logPath = join(folder, 'log.db');
  const log = new SealedLog(logPath, {
    clock: systemClock,
    random: systemRandom,
    origin: 'bench/log',
    signer: softwareKeyHandle('Ed25519', generatePrivateKey('Ed25519')),
    keyOf,
    layoutKeyRef: () => 1,
  });
  const path = join(folder, 'series.db');
  const file = SeriesFile.open(path, systemRandom);
  const live = new LiveLog(logPath);
  const engine = new SeriesEngine({
    log: live,
    file,
    readFile: SeriesFile.openReadOnly(path, systemRandom),
    askKeys: (refs) => Promise.resolve(refs.map((ref) => [ref, keyOf(ref)] as const)),
    onProblem: (what) => console.error(what),
    clock: systemClock,
  });
  const cpu = { log: 0, series: 0 };
  let [jsonBytes, count] = [0, 0];
  let batch: { keyRef: number; counterMax: number; record: Uint8Array }[] = [];
  const flush = async (): Promise<void> => {
    const size = timed(cpu, 'log', () => log.append(batch));
    count += batch.length;
    batch = [];
    if (size === undefined) return;
    const before = process.cpuUsage();
    engine.advance(count);
    while (engine.behind > 0) await delay(1);
    const { user, system } = process.cpuUsage(before);
    cpu.series += user + system;
  };
  for (const { device, entry } of messages(readings, devices)) {
    jsonBytes += entry.body.length + 1;
    batch.push({ keyRef: device, counterMax: entry.atMs, record: encodeEntry(entry) });
    if (batch.length === BATCH) await flush();
  }
  await flush();
  // What waits is written, as it would be within the hour.
  const ask = (request: RequestMessage): Promise<unknown> => engine.answer(request, count);
  const before = process.cpuUsage();
  await ask({ type: 'expire', ask: { expired: [], rolledFromMs: undefined } });
  const { user, system } = process.cpuUsage(before);
  cpu.series += user + system;
  const queries = await measureQueries(ask, devices);
  const total = count * PER_MESSAGE;
  const bytesOf = (name: string): number => statSync(name).size / total;
  await engine.close();
  live.close();
  log.close();
  return {
    readings: total,
    devices,
    logCpuUs: cpu.log / total,
    seriesCpuUs: cpu.series / total,
    jsonBytes: jsonBytes / total,
    logBytes: bytesOf(logPath),
    seriesBytes: bytesOf(path),
    queries,
  };
}

async function measureQueries(
  ask: (request: RequestMessage) => Promise<unknown>,
  devices: number,
): Promise<Record<string, Timed>> {
  const refs = Array.from({ length: Math.min(devices, 10_000) }, (_, at) => [at + 1]);
  const name = 'temperature';
  const focus = { keyRefs: [1], name, limit: 1_000_000 };
  const week = { ...focus, fromMs: END_MS - 7 * DAY_MS, toMs: END_MS };
  const year = { ...focus, fromMs: END_MS - YEAR_MS, toMs: END_MS };
  const cases: Record<string, RequestMessage> = {
    'last values of 10,000 devices': { type: 'latest', ask: { devices: refs, name } },
    "a device's week, every value": { type: 'points', ask: week },
    "a device's week by the hour": { type: 'buckets', ask: { ...week, spanMs: 3_600_000 } },
    "a device's year by the hour": { type: 'buckets', ask: { ...year, spanMs: 3_600_000 } },
    "a device's year by the day": { type: 'buckets', ask: { ...year, spanMs: DAY_MS } },
  };
  const found: Record<string, Timed> = {};
  for (const [what, request] of Object.entries(cases)) {
    const times: number[] = [];
    let answer: unknown;
    for (let round = 0; round < ROUNDS; round += 1) {
      const startMs = performance.now();
      answer = await ask(request);
      times.push(performance.now() - startMs);
    }
    const [firstMs = 0, ...warm] = times;
    const sorted = warm.sort((a, b) => a - b);
    found[what] = {
      firstMs,
      medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0,
      worstMs: sorted.at(-1) ?? 0,
      points: pointsOf(answer),
    };
  }
  return found;
}

function pointsOf(answer: unknown): number {
  if (Array.isArray(answer)) return answer.length;
  const isPage = typeof answer === 'object' && answer !== null && 'points' in answer;
  return isPage && Array.isArray(answer.points) ? answer.points.length : 0;
}

function timed<T>(cpu: Record<'log' | 'series', number>, of: 'log' | 'series', task: () => T): T {
  const before = process.cpuUsage();
  const result = task();
  const { user, system } = process.cpuUsage(before);
  cpu[of] += user + system;
  return result;
}
