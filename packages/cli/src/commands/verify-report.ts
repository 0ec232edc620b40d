/** How a verification of the log is shown, while it runs and at its end. @module */
import type { VerifiedLog } from '@holdfast/protocol/api';
import { paintFor } from '../paint.ts';
import { printable } from '../printable.ts';
import { progressOn } from '../progress.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

/** What is shown of a verification. */
export interface ShownReport extends Omit<VerifiedLog, 'findings'> {
  readonly findings: readonly VerifiedLog['findings'][number][];
  /** What was verified: a folder, or the server. */
  readonly what: string;
  /** The key that was used, and whether it came from whoever asked. */
  readonly verifierKey?: string;
  readonly keySource?: 'given' | 'data folder';
  /** Entries of the copy that it was compared with. */
  readonly otherSize?: number | undefined;
}

const number = new Intl.NumberFormat('en');

/** One line on a terminal: how far, and how fast. */
export function verifyProgress({ stderr, nowMs }: Pick<World, 'stderr' | 'nowMs'>) {
  const startMs = nowMs();
  const { bar, clear } = progressOn(stderr);
  const show = ({ done, size }: { done: number; size: number }): void => {
    const seconds = (nowMs() - startMs) / 1_000;
    const rate = seconds > 0 ? `, ${number.format(Math.round(done / seconds))} a second` : '';
    bar(done, size, `${number.format(done)} of ${number.format(size)} entries${rate}`);
  };
  return { show, clear };
}

/** The result, for a person. */
export function reportText(report: ShownReport, { stdout }: Pick<World, 'stdout'>): string {
  const paint = paintFor(stdout);
  const verdict = report.ok
    ? paint.good('✓ Nothing was changed.')
    : paint.bad('✗ Something was changed.');
  const findings = report.findings.map(({ entries, what }) => {
    const where = entries === undefined ? 'the log' : rangeText(entries);
    return `  ${paint.bad('✗')} ${where}: ${printable(what)}\n`;
  });
  return `${verdict}\n${findings.join('')}\n${table(rowsOf(report), 2)}${doubtOf(report, paint)}`;
}

function rowsOf(report: ShownReport): [string, string][] {
  const { messages, acts, refusals, entries, size, seconds, since } = report;
  const parts = `${number.format(messages)} messages, ${number.format(acts)} acts, ${number.format(refusals)} refusals`;
  const rate =
    seconds > 0 ? `, ${number.format(Math.round(entries / seconds))} entries a second` : '';
  const rows: [string, string][] = [
    ['entries', `${number.format(entries)} of ${number.format(size - since)} (${parts})`],
  ];
  if (since > 0) rows.push(['since', `entry ${number.format(since)}, where a good one ended`]);
  if (report.erased > 0) {
    rows.push(['erased', `${number.format(report.erased)}, by acts on the log`]);
  }
  if (report.expired > 0) {
    rows.push(['expired', `${number.format(report.expired)}, by acts on the log`]);
  }
  if (report.otherSize !== undefined) {
    rows.push(['compared', `with a copy of ${number.format(report.otherSize)} entries`]);
  }
  rows.push(['checkpoints', `${number.format(report.checkpoints)} with a valid signature`]);
  rows.push(['root', report.root]);
  if (report.verifierKey !== undefined) rows.push(['key', printable(report.verifierKey)]);
  rows.push(['time', `${seconds.toFixed(1)} s${rate}`]);
  return rows;
}

function doubtOf({ keySource, what }: ShownReport, paint: ReturnType<typeof paintFor>): string {
  if (keySource === 'given') return '';
  const doubt =
    keySource === undefined
      ? `This is what ${what} says of itself; check a copy of its folder to be sure.`
      : 'The key came from the folder itself; give --key to be sure.';
  return `\n  ${paint.faint(doubt)}\n`;
}

function rangeText({ first, last }: { first: number; last: number }): string {
  return first === last ? `entry ${first}` : `entries ${first} to ${last}`;
}
