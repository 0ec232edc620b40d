/** What the API answers, kept fresh. @module */
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { ask } from './ask.ts';
import type { Problem } from './problem.ts';

/** How to ask. */
export interface UseAskOptions {
  /** Asked again this often, in milliseconds; not at all unless told. */
  readonly everyMs?: number;
  readonly enabled?: boolean;
  /** Asked again by each part of a page that begins to show it; `isFetching` tells meanwhile. */
  readonly isAskedAnew?: boolean;
}

/** The key of an answer in the cache: its path, so that a live event can mark it as stale. */
export const keyOf = (path: string): readonly string[] => ['api', ...path.split(/[/?]/u).slice(1)];

/** Asks `GET path`. The path is the key: two parts of a page that ask the same ask once. */
export function useAsk<T>(
  path: string,
  { everyMs, enabled = true, isAskedAnew = false }: UseAskOptions = {},
): UseQueryResult<T, Problem> {
  return useQuery<T, Problem>({
    queryKey: keyOf(path),
    queryFn: ({ signal }) => ask<T>(path, { signal }),
    enabled,
    ...(everyMs !== undefined && { refetchInterval: everyMs }),
    ...(isAskedAnew && { refetchOnMount: 'always' as const }),
  });
}
