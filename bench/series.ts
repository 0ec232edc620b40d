/**
 * The time-series store: bytes and processor time for each reading, times of queries, and how they
 * grow with the number of readings.
 *
 *     node bench/series.ts --sizes 1000000,10000000
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compare } from './series/compare.ts';
import { drawGrowth } from './series/draw-growth.ts';
import { type Measured, measure } from './series/measure.ts';

const HELP = `node bench/series.ts [options]

  --sizes LIST   numbers of readings (default: 100000,1000000,10000000)
  --devices N    devices that send them (default: 10000)
  --compare N    readings for the comparison with SQLite and Fernet, PostgreSQL and InfluxDB,
                 where they are installed (default: 0, none)
  --out FOLDER   where series.json and series.svg are written (default: bench/results)`;

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '100000,1000000,10000000' },
    devices: { type: 'string', default: '10000' },
    compare: { type: 'string', default: '0' },
    out: { type: 'string', default: join(import.meta.dirname, 'results') },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const devices = Number(values.devices);
  const measured: Measured[] = [];
  for (const size of values.sizes.split(',').map(Number)) {
    const one = await measure(size, devices);
    measured.push(one);
    print(one);
  }
  const compared = Number(values.compare) > 0 ? await compare(Number(values.compare), devices) : [];
  if (compared.length > 0) console.table(compared);
  mkdirSync(values.out, { recursive: true });
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const results = { at: new Date().toISOString(), machine, measured, compared };
  writeFileSync(join(values.out, 'series.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(values.out, 'series.svg'), drawGrowth(measured));
}

function print({ queries, ...figures }: Measured): void {
  const rounded = Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(2))]);
  console.table([Object.fromEntries(rounded)]);
  console.table(queries);
}
