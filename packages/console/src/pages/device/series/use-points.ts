/** Series of a device and their values, renewed as readings come. @module */
import type { SeriesListView, SeriesPage } from '@holdfast/protocol/api';
import {
  type QueryKey,
  type UseQueryResult,
  keepPreviousData,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useCallback, useRef } from 'react';
import { ask } from '../../../api/ask.ts';
import type { Problem } from '../../../api/problem.ts';
import { keyOf, useAsk } from '../../../api/use-ask.ts';
import { pathOf } from '../use-device.ts';
import type { Span } from './spans.ts';

/** So many values are still drawn one by one. */
const POINTS_MAX = 1_000;
/** What expires or is made anew is seen after this time; new values are told. */
const EVERY_MS = 60_000;
/** However often a device sends, its last values and its charts are asked for no more often. */
const LIST_RENEWED_MS = 2_000;
const POINTS_RENEWED_MS = 5_000;

/** The series of a device. */
export function useSeries(id: string): UseQueryResult<SeriesListView, Problem> {
  return useAsk<SeriesListView>(`${pathOf(id)}/series`, { everyMs: EVERY_MS });
}

/** Which values. */
export interface PointsWish {
  readonly id: string;
  readonly series: string;
  readonly span: Span;
  /** The end of the span; now, without it. */
  readonly toMs?: number;
  readonly isWanted?: boolean;
}

/** The values of a series. While others are on their way, the ones before are shown. */
export function usePoints({
  id,
  series,
  span,
  toMs,
  isWanted = true,
}: PointsWish): UseQueryResult<SeriesPage, Problem> {
  return useQuery<SeriesPage, Problem>({
    queryKey: [...keyOf(`${pathOf(id)}/series/points`), series, span.name, toMs ?? 'now'],
    queryFn: ({ signal }) => readPoints({ id, series, span, toMs: toMs ?? Date.now() }, signal),
    enabled: isWanted,
    placeholderData: keepPreviousData,
    ...(toMs === undefined && { refetchInterval: EVERY_MS }),
  });
}

async function readPoints(
  { id, series, span, toMs }: Required<Pick<PointsWish, 'id' | 'series' | 'span' | 'toMs'>>,
  signal: AbortSignal,
): Promise<SeriesPage> {
  const from = new Date(toMs - span.ms).toISOString();
  const read = (more: Readonly<Record<string, string>>): Promise<SeriesPage> => {
    const query = new URLSearchParams({ series, from, limit: String(POINTS_MAX), ...more });
    return ask<SeriesPage>(`${pathOf(id)}/series/points?${query.toString()}`, { signal });
  };
  if (span.isFine) {
    const page = await read({});
    if (page.next === undefined) return page;
  }
  return read({ resolution: span.resolution });
}

/** Gives what to call when readings came: it renews what is shown, but not too often. */
export function useRenewSeries(id: string): () => void {
  const queries = useQueryClient();
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  return useCallback(() => {
    const later = (name: string, ms: number, isMeant: (key: QueryKey) => boolean): void => {
      if (timers.current.has(name)) return;
      const renew = (): void => {
        timers.current.delete(name);
        const queryKey = keyOf(`${pathOf(id)}/series`);
        void queries.invalidateQueries({ queryKey, predicate: (query) => isMeant(query.queryKey) });
      };
      timers.current.set(name, setTimeout(renew, ms));
    };
    later('list', LIST_RENEWED_MS, (key) => !key.includes('points'));
    // Longer spans do not look different for one value more.
    later('points', POINTS_RENEWED_MS, (key) => key.includes('hour') && key.includes('now'));
  }, [queries, id]);
}
