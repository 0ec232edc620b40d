/** Numbers and times in the sentences of troubles. @module */

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** `1 device`, `3 devices`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** `12 days`, `5 hours`: whole ones, at least one. */
export function spanText(ms: number): string {
  const days = Math.floor(Math.abs(ms) / DAY_MS);
  if (days > 0) return counted(days, 'day');
  return counted(Math.max(1, Math.floor(Math.abs(ms) / HOUR_MS)), 'hour');
}

/** `in 5 days`, `3 days ago`. */
export function whenText(ms: number, nowMs: number): string {
  return ms < nowMs ? `${spanText(nowMs - ms)} ago` : `in ${spanText(ms - nowMs)}`;
}

/** `pump-1, pump-2 and 7 more`. */
export function namedText(names: readonly string[], total: number): string {
  const more = total - names.length;
  return more > 0
    ? `${names.join(', ')} and ${more.toLocaleString('en-US')} more`
    : names.join(', ');
}

/** `3.2 GB`. */
export function bytesText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}
