/** Prints the results of one case as a table. @module */
import { BASELINE } from '../brokers/index.ts';
import type { ConnectCost, FlowResult } from '../load/job.ts';
import { type CaseResult, type RunResult, type TargetResult, spreadOf } from '../results.ts';

/** One column: its heading, and its cell for a broker. */
interface Column {
  readonly heading: string;
  readonly cell: (target: TargetResult, baseline: TargetResult | undefined) => string;
}

/** A share of one core above which the load may have been what was full. */
const LOAD_IS_FULL = 0.9;

/** Cores used by something else above which rates say nothing. */
const OTHERS_DISTURB = 0.2;

/** Prints one case. */
export function printCase({ title, kind, targets }: CaseResult): void {
  const baseline = targets.find(({ name }) => name === BASELINE);
  const columns = COLUMNS[kind];
  const rows = targets.map((target) => {
    const why = target.missing ?? (hasResult(target) ? undefined : failureOf(target));
    if (why !== undefined) return [target.name, why];
    return [target.name, ...columns.map(({ cell }) => cell(target, baseline))];
  });
  const headings = ['broker', ...columns.map(({ heading }) => heading)];
  const widths = headings.map((heading, at) =>
    Math.max(
      heading.length,
      ...rows.filter((row) => row.length === headings.length).map((row) => row[at]?.length ?? 0),
      ...(at === 0 ? rows.map(([name = '']) => name.length) : []),
    ),
  );
  console.log(`\n${title}`);
  for (const row of [headings, ...rows]) {
    console.log(
      row
        .map((cell, at) =>
          at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0),
        )
        .join('   '),
    );
  }
  for (const target of targets) for (const note of notesOn(target)) console.log(`  ${note}`);
}

/** Messages a second of one run. */
export function rateOf({ flow }: RunResult): number | undefined {
  return flow && flow.delivered / flow.seconds;
}

/** Processor microseconds of the broker for each message of one run. */
export function cpuOf({ flow }: RunResult): number | undefined {
  return flow && perMessage(flow, flow.brokerCpuUs);
}

/** Processor microseconds of the broker for each connect of one run. */
export function connectCpuOf(run: RunResult, way: 'full' | 'resumed'): number | undefined {
  const cost = run.connect?.[way];
  if (cost === undefined || cost.connects === 0) return undefined;
  if (way === 'resumed' && cost.resumed === 0) return undefined;
  return cost.brokerCpuUs / cost.connects;
}

/** Kilobytes of the broker for each idle connection of one run. */
export function idleKilobytesOf({ idle }: RunResult): number | undefined {
  if (idle === undefined || idle.connections === 0) return undefined;
  return (idle.bytesAfter - idle.bytesBefore) / idle.connections / 1_000;
}

type Read = (run: RunResult) => number | undefined;

const RATE_COLUMNS: readonly Column[] = [
  spreadColumn('messages/s (low–high)', rateOf),
  ratioColumn('ratio', rateOf, 'more'),
  medianColumn('broker CPU µs', cpuOf),
  ratioColumn('ratio', cpuOf, 'less'),
  medianColumn('broker cores', ({ flow }) => flow && coresOf(flow, flow.brokerCpuUs), 2),
  medianColumn('load cores', ({ flow }) => flow && coresOf(flow, flow.loadCpuUs), 2),
  medianColumn('other cores', ({ flow }) => flow && coresOf(flow, flow.otherCpuUs), 2),
  medianColumn('load CPU µs', ({ flow }) => flow && perMessage(flow, flow.loadCpuUs)),
  medianColumn('load thread %', ({ flow }) => flow && flow.busiestThread * 100),
  totalColumn('lost', ({ total }) => total.lost),
  totalColumn('dup.', ({ total }) => total.duplicate + total.foreign),
  medianColumn('bytes written', ({ flow }) => flow && perMessage(flow, flow.writtenBytes)),
  {
    heading: 'fsyncs/1000',
    cell: ({ fsyncsPerThousand: count }) => (count === undefined ? '–' : count.toFixed(2)),
  },
];

const COLUMNS: Readonly<Record<CaseResult['kind'], readonly Column[]>> = {
  flow: RATE_COLUMNS,
  latency: [
    medianColumn('asked/s', ({ rate }) => rate),
    medianColumn('messages/s', rateOf),
    medianColumn('p50 ms', ({ flow }) => flow?.latencyMs?.p50, 2),
    medianColumn('p99 ms', ({ flow }) => flow?.latencyMs?.p99, 2),
    medianColumn('p99.9 ms', ({ flow }) => flow?.latencyMs?.p999, 2),
    medianColumn('max ms', ({ flow }) => flow?.latencyMs?.max, 2),
    medianColumn('load late p50', ({ flow }) => flow?.latenessMs?.p50, 2),
    medianColumn('load late p99', ({ flow }) => flow?.latenessMs?.p99, 2),
    medianColumn('broker CPU µs', cpuOf),
    totalColumn('lost', ({ total }) => total.lost),
    totalColumn('dup.', ({ total }) => total.duplicate + total.foreign),
  ],
  connect: [
    ...connectColumns('full'),
    ...connectColumns('resumed'),
    medianColumn('load CPU µs', ({ connect }) => connect && loadCpu(connect.full)),
    medianColumn(
      'full/s',
      ({ connect }) => connect && connect.full.connects / connect.full.seconds,
    ),
  ],
  idle: [
    spreadColumn('kB a connection (low–high)', idleKilobytesOf),
    ratioColumn('ratio', idleKilobytesOf, 'less'),
    medianColumn('open', ({ idle }) => idle?.connections),
    medianColumn('MB before', ({ idle }) => idle && idle.bytesBefore / 1e6),
    medianColumn('MB after', ({ idle }) => idle && idle.bytesAfter / 1e6),
  ],
};

function connectColumns(way: 'full' | 'resumed'): Column[] {
  const read: Read = (run) => connectCpuOf(run, way);
  const perSecond: Read = (run) => {
    const us = read(run);
    return us === undefined ? undefined : 1e6 / us;
  };
  return [
    spreadColumn(`${way}/CPU s (low–high)`, perSecond),
    medianColumn('CPU µs', read),
    ratioColumn('ratio', read, 'less'),
    medianColumn('resumed %', ({ connect }) => connect && share(connect[way])),
  ];
}

function perMessage({ delivered }: FlowResult, value: number): number | undefined {
  return delivered === 0 ? undefined : value / delivered;
}

function coresOf({ seconds }: FlowResult, cpuUs: number): number {
  return cpuUs / (seconds * 1e6);
}

function share({ connects, resumed }: ConnectCost): number {
  return connects === 0 ? 0 : (resumed / connects) * 100;
}

function loadCpu({ connects, loadCpuUs }: ConnectCost): number {
  return loadCpuUs / connects;
}

function medianColumn(heading: string, read: Read, digits?: number): Column {
  return {
    heading,
    cell: ({ runs }) => {
      const spread = spreadOf(runs.map(read));
      if (spread === undefined) return '–';
      return digits === undefined ? inDigits(spread.median) : spread.median.toFixed(digits);
    },
  };
}

function spreadColumn(heading: string, read: Read): Column {
  return {
    heading,
    cell: ({ runs }) => {
      const spread = spreadOf(runs.map(read));
      if (spread === undefined) return '–';
      const { median, low, high } = spread;
      return `${inDigits(median)} (${inDigits(low)}–${inDigits(high)})`;
    },
  };
}

/** How many times as good as the baseline: more of it, or less of it. */
function ratioColumn(heading: string, read: Read, better: 'more' | 'less'): Column {
  return {
    heading,
    cell: (target, baseline) => {
      const own = spreadOf(target.runs.map(read))?.median;
      const other = spreadOf(baseline?.runs.map(read) ?? [])?.median;
      if (own === undefined || other === undefined) return '–';
      return `${(better === 'more' ? own / other : other / own).toFixed(2)} ×`;
    },
  };
}

function totalColumn(heading: string, read: (flow: FlowResult) => number): Column {
  return {
    heading,
    cell: ({ runs }) => String(runs.reduce((sum, { flow }) => sum + (flow ? read(flow) : 0), 0)),
  };
}

function inDigits(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(1);
}

function hasResult({ runs }: TargetResult): boolean {
  return runs.some(({ failure }) => failure === undefined);
}

function failureOf({ runs }: TargetResult): string {
  return `FAILED: ${runs.find(({ failure }) => failure !== undefined)?.failure ?? 'no run'}`;
}

/** What a reader must know before believing a row. */
function notesOn({ name, runs }: TargetResult): string[] {
  const notes = new Set<string>();
  const note = (text: string): unknown => notes.add(`${name}: ${text}`);
  for (const { flow, connect, idle, stop, failure } of runs) {
    if (failure !== undefined) note(`one run failed: ${failure}`);
    for (const result of [flow, connect, idle]) result?.problems.forEach(note);
    if (stop?.problem !== undefined) note(stop.problem);
    if (flow === undefined) continue;
    if (flow.busiestThread > LOAD_IS_FULL) note('a thread of the load was full, too');
    const others = coresOf(flow, flow.otherCpuUs);
    if (others > OTHERS_DISTURB)
      note(`something else used ${others.toFixed(1)} cores: not to be quoted`);
    const { recordsShared, sent, acknowledged } = flow.total;
    if (recordsShared === undefined) note('TLS records could not be counted');
    else if (recordsShared !== 0)
      note(`${recordsShared} messages were not in a record of their own`);
    const stored = stop?.storedMessages;
    if (stored !== undefined && stored !== sent) note(`${stored} of ${sent} sent are in the log`);
    if (acknowledged > sent) note(`${acknowledged} acknowledgements for ${sent} messages`);
  }
  return [...notes];
}
