/** Times as people at this machine read them. @module */

/** `2026-11-21 04:05:06` in the time zone, of an ISO 8601 time. */
export function localTime(iso: string, timeZone: string): string {
  const local = Temporal.Instant.from(iso).toZonedDateTimeISO(timeZone).toPlainDateTime();
  return local.toString({ fractionalSecondDigits: 0 }).replace('T', ' ');
}

/** A span in its two largest units: `3 d 4 h`, `12 min 5 s`. */
export function spanText(ms: number): string {
  const seconds = Math.max(Math.floor(ms / 1_000), 0);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}
