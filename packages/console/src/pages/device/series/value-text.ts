/** Values of series in words. @module */
import type { SeriesView } from '@holdfast/protocol/api';

const NUMBER = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 });

/** A value; truth values are 1 and 0. */
export function valueText(value: number, kind: SeriesView['kind']): string {
  if (kind === 'number') return NUMBER.format(value);
  return value >= 0.5 ? 'true' : 'false';
}

/** A value at the axis of a chart: between true and false there is nothing. */
export function axisText(value: number, kind: SeriesView['kind']): string {
  if (kind === 'number') return NUMBER.format(value);
  if (value === 1) return 'true';
  return value === 0 ? 'false' : '';
}
