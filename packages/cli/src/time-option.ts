/** Times that are given on the command line. @module */
import { usageFailure } from './failure.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * Reads a time: `-7d` (before now; m, h, d or w), `now`, a day `2026-11-21`, or ISO 8601. A time
 * without a zone is one of this machine.
 * @returns ISO 8601 in UTC.
 * @throws Failure when it is none.
 */
export function timeOption(
  text: string,
  { name, nowMs, timeZone }: { name: string; nowMs: number; timeZone: string },
): string {
  if (text === 'now') return new Date(nowMs).toISOString();
  const [, count, unit] = /^-?(\d{1,6})([mhdw])$/u.exec(text) ?? [];
  if (count !== undefined) {
    return new Date(nowMs - Number(count) * (UNITS_MS[unit ?? ''] ?? 0)).toISOString();
  }
  const time = absolute(text, timeZone);
  if (time !== undefined) return time;
  throw usageFailure(
    `--${name} is no time: "${text}".`,
    `For example: --${name} -7d, --${name} 2026-11-21, or --${name} 2026-11-21T08:00.`,
  );
}

function absolute(text: string, timeZone: string): string | undefined {
  try {
    return Temporal.Instant.from(text).toString({ fractionalSecondDigits: 3 });
  } catch {
    // It has no zone, or is no time at all.
  }
  try {
    const local = Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone);
    return local.toInstant().toString({ fractionalSecondDigits: 3 });
  } catch {
    return undefined;
  }
}
