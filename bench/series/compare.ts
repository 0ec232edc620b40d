/** The same readings in other stores: how many bytes each takes on the disk. @module */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, openSync, writeSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messages } from './readings.ts';

/** One store. */
export interface Compared {
  readonly store: string;
  readonly bytesPerReading: number | string;
  readonly cpuUsPerReading: number | string;
}

const STORES = ['sqlite-fernet', 'postgresql', 'influxdb'] as const;

/** Fills each store that is there. */
export async function compare(readings: number, devices: number): Promise<Compared[]> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-stores-'));
  try {
    const data = join(folder, 'readings.ndjson');
    const file = openSync(data, 'w', 0o644);
    for (const { entry } of messages(readings, devices)) {
      const { topic, atMs, body } = entry;
      writeSync(file, `${topic}\t${atMs}\t${Buffer.from(body).toString()}\n`);
    }
    closeSync(file);
    return STORES.map((store) => {
      const script = join(import.meta.dirname, 'stores.py');
      const run = spawnSync('/usr/bin/python3', [script, store, data, join(folder, store)], {
        encoding: 'utf8',
      });
      if (run.status !== 0) {
        const why = run.stderr.trim().split('\n').at(-1) ?? 'no answer';
        return { store, bytesPerReading: `not measured: ${why}`, cpuUsPerReading: '' };
      }
      const { bytes, cpu, count } = JSON.parse(run.stdout) as Record<string, number>;
      const each = (value = 0): number => Number((value / (count ?? 1)).toFixed(2));
      return { store, bytesPerReading: each(bytes), cpuUsPerReading: each((cpu ?? 0) * 1e6) };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
