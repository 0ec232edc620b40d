/** When devices are away, and for how long. Pure. @module */
import type { SeededRandom } from './seeded-random.ts';

const MINUTE_MS = 60_000;
/** Between two outages of a device, on average: of 200 devices, ten are away at a time. */
const BETWEEN_MS = 12 * MINUTE_MS;
/** Share of the outages that are long: somebody unplugged it, and not only the radio failed. */
const LONG_SHARE = 0.15;

/** When the next outage begins, counted from the connection, and how long it lasts. */
export interface Outage {
  readonly inMs: number;
  readonly lengthMs: number;
}

export function nextOutage(random: SeededRandom): Outage {
  const inMs = 5_000 + random.waiting(BETWEEN_MS);
  const isLong = random.fraction() < LONG_SHARE;
  const lengthMs = isLong
    ? random.between(2 * MINUTE_MS, 8 * MINUTE_MS)
    : random.between(2_000, 15_000);
  return { inMs, lengthMs };
}

/** The times at which readings were taken between two moments, both left out. */
export function timesBetween(
  fromMs: number,
  toMs: number,
  { periodMs, countMax }: { readonly periodMs: number; readonly countMax: number },
): number[] {
  const stepMs = Math.max(periodMs, (toMs - fromMs) / countMax);
  const count = Math.max(0, Math.ceil((toMs - fromMs) / stepMs) - 1);
  return Array.from({ length: count }, (_, at) => Math.round(fromMs + stepMs * (at + 1)));
}
