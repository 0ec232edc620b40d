/** Numbers in words. @module */

const COUNT = new Intl.NumberFormat('en');

/** 12,345 */
export function countText(count: number): string {
  return COUNT.format(count);
}

/** A rate: 0.4, 12.3, 1,234. */
export function rateText(rate: number): string {
  return COUNT.format(rate < 100 ? Math.round(rate * 10) / 10 : Math.round(rate));
}

const BYTE_UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** 1.4 GB, by powers of 1,000. */
export function bytesText(bytes: number): string {
  const power = bytes < 1_000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1_000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${BYTE_UNITS[power]}`;
}

/** "1 device", "2 devices". */
export function counted(count: number, noun: string, nouns = `${noun}s`): string {
  return `${countText(count)} ${count === 1 ? noun : nouns}`;
}
