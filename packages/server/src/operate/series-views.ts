/** What the API shows of time series. @module */
import type { SpanView, LatestView, PointView, SeriesListView } from '@holdfast/protocol/api';
import type { BucketPoint, LatestOfDevice, Point, SeriesList, Told } from '../telemetry/index.ts';
import { isoTime } from './views.ts';

export function pointView({ timeMs, value, index }: Point): PointView {
  return { at: isoTime(timeMs), value, index };
}

export function latestView(value: LatestOfDevice['values'][number]): LatestView['values'][number] {
  return { series: value.name, kind: value.kind, ...pointView(value) };
}

export function spanView({ timeMs, count, min, max, mean }: BucketPoint): SpanView {
  return { at: isoTime(timeMs), count, min, max, mean };
}

export function seriesListView({ series, passedOver, behind }: Told<SeriesList>): SeriesListView {
  return {
    series: series.map(({ name, kind, count, firstMs, last }) => ({
      name,
      kind,
      count,
      firstAt: isoTime(firstMs),
      lastAt: isoTime(last.timeMs),
      lastValue: last.value,
      lastIndex: last.index,
    })),
    passedOver,
    behind,
  };
}
