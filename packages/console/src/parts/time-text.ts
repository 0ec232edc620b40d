/** Times in words. @module */

const UNITS = [
  { name: 'year', ms: 31_557_600_000 },
  { name: 'month', ms: 2_629_800_000 },
  { name: 'day', ms: 86_400_000 },
  { name: 'hour', ms: 3_600_000 },
  { name: 'minute', ms: 60_000 },
] as const;

/** "3 minutes ago", "in 2 days", "just now". */
export function agoText(atMs: number, nowMs: number): string {
  const ms = Math.abs(nowMs - atMs);
  const unit = UNITS.find((unit) => ms >= unit.ms);
  if (unit === undefined) return atMs > nowMs ? 'in less than a minute' : 'just now';
  // What is to come is rounded: a day that has just begun is no 23 hours.
  const count = atMs > nowMs ? Math.round(ms / unit.ms) : Math.floor(ms / unit.ms);
  const text = `${count} ${unit.name}${count === 1 ? '' : 's'}`;
  return atMs > nowMs ? `in ${text}` : `${text} ago`;
}

/** "2 days", "45 seconds": a span of time. */
export function spanText(ms: number): string {
  const unit = UNITS.find((unit) => ms >= unit.ms);
  if (unit === undefined) {
    const seconds = Math.round(ms / 1_000);
    return `${seconds} second${seconds === 1 ? '' : 's'}`;
  }
  const count = Math.floor(ms / unit.ms);
  return `${count} ${unit.name}${count === 1 ? '' : 's'}`;
}

/** With the date, seconds and zone, in the person's own form. */
export function exactText(date: Date): string {
  return date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
}
