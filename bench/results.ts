import type { StopReport } from './brokers/index.ts';
/** What was measured, run by run. @module */
import type { Case } from './cases.ts';
import type { ConnectResult, FlowResult, IdleResult } from './load/job.ts';

/** One run of one case with one broker. */
export interface RunResult {
  readonly flow?: FlowResult | undefined;
  readonly connect?: ConnectResult | undefined;
  readonly idle?: IdleResult | undefined;
  /** Messages a second that were asked for; only in latency cases. */
  readonly rate?: number | undefined;
  readonly stop?: StopReport | undefined;
  /** Why there is nothing. */
  readonly failure?: string | undefined;
}

/** All runs of one case with one broker. */
export interface TargetResult {
  readonly name: string;
  readonly what: string;
  /** Why it was not measured. */
  readonly missing: string | undefined;
  readonly runs: RunResult[];
  /** fsyncs for each 1,000 messages, from a run of its own under strace. */
  fsyncsPerThousand?: number | undefined;
}

/** One case with all brokers. */
export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly kind: Case['kind'];
  readonly targets: readonly TargetResult[];
}

/** Median, lowest and highest of some values; undefined when there are none. */
export function spreadOf(
  values: readonly (number | undefined)[],
): { median: number; low: number; high: number } | undefined {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  const [low] = sorted;
  const high = sorted.at(-1);
  if (low === undefined || high === undefined) return undefined;
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? low;
  const lower = sorted.length % 2 === 1 ? upper : (sorted[middle - 1] ?? upper);
  return { median: (lower + upper) / 2, low, high };
}
