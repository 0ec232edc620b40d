/** Spans of time that are given on the command line. @module */
import { usageFailure } from '../failure.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Reads `90s`, `10m`, `24h` or `2d`. @returns milliseconds. @throws Failure when it is none. */
export function spanOption(
  text: string,
  {
    name,
    min,
    max,
    example,
  }: {
    readonly name: string;
    readonly min: number;
    readonly max: number;
    readonly example: string;
  },
): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/u.exec(text) ?? [];
  const spanMs = Number(count ?? Number.NaN) * (UNITS_MS[unit ?? ''] ?? Number.NaN);
  if (spanMs >= min && spanMs <= max) return spanMs;
  throw usageFailure(
    `--${name} takes a time of ${short(min)} to ${short(max)}, not "${text}".`,
    `For example: --${name} ${example} (s, m, h and d are seconds, minutes, hours and days).`,
  );
}

function short(ms: number): string {
  const unit = ['d', 'h', 'm', 's'].find((name) => ms % (UNITS_MS[name] ?? 1) === 0) ?? 's';
  return `${ms / (UNITS_MS[unit] ?? 1)}${unit}`;
}
