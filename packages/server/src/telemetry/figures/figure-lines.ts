/** Steps as lines of a chart. @module */
import {
  FIGURE_CODES_MAX,
  type FigureSpan,
  type Figures as FigureLines,
  OTHER_CODES,
} from '@holdfast/protocol/api';
import type { FigureRing } from './figure-ring.ts';
import { type FigureStep, refusedOf } from './figure-step.ts';

type Line = FigureLines['accepted'];

/** The whole span of a ring until now. */
export function linesOf(span: FigureSpan, ring: FigureRing, nowMs: number): FigureLines {
  const all = ring.until(nowMs);
  // The step under way may not have been looked at yet: that is no gap.
  const shown = all.at(-1)?.step === undefined ? all.slice(0, -1) : all;
  const line = (countOf: (step: FigureStep) => number): Line =>
    shown.map(({ step }) =>
      step === undefined || step.ms === 0 ? null : perS(countOf(step), step),
    );
  const totals = totalsOf(shown.map(({ step }) => step));
  const codes = [...totals].toSorted(([, a], [, b]) => b - a);
  const own = codes.slice(0, FIGURE_CODES_MAX);
  const byCode = own.map(([code, total]) => ({
    code,
    total,
    perS: line(({ refused }) => refused[code] ?? 0),
  }));
  const rest = codes.slice(FIGURE_CODES_MAX);
  if (rest.length > 0) {
    const total = rest.reduce((sum, [, count]) => sum + count, 0);
    const perS = line(({ refused }) => rest.reduce((sum, [code]) => sum + (refused[code] ?? 0), 0));
    byCode.push({ code: OTHER_CODES, total, perS });
  }
  return {
    span,
    stepMs: ring.stepMs,
    times: shown.map(({ number }) => number * ring.stepMs),
    accepted: line(({ accepted }) => accepted),
    refused: line(refusedOf),
    byCode,
    connections: line(({ connectionMs }) => connectionMs / 1_000),
  };
}

/** Refusals by code. */
export function totalsOf(steps: readonly (FigureStep | undefined)[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const step of steps) {
    for (const [code, count] of Object.entries(step?.refused ?? {})) {
      totals.set(code, (totals.get(code) ?? 0) + count);
    }
  }
  return totals;
}

/** To a thousandth: more digits say nothing, and a long line is sent often. */
function perS(count: number, { ms }: FigureStep): number {
  return Math.round((count * 1_000_000) / ms) / 1_000;
}
