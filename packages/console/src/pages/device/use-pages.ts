/** A list of the API that is asked for page by page. @module */
import { useInfiniteQuery } from '@tanstack/react-query';
import { ask } from '../../api/ask.ts';
import type { Problem } from '../../api/problem.ts';
import { keyOf } from '../../api/use-ask.ts';

const PAGE = 50;

/** How to ask. */
export interface PagesOptions {
  /** Asked again this often, in milliseconds; not at all unless told. */
  readonly everyMs?: number;
  readonly enabled?: boolean;
}

/** How it stands. */
export interface PagesState {
  readonly problem: Problem | null;
  /** There may be older ones: only so much of the log is looked through in one go. */
  readonly hasOlder: boolean;
  readonly isAsking: boolean;
  readonly loadOlder: () => void;
}

/**
 * Asks `GET path`.
 * @returns what is listed as well, the newest first; undefined before the first answer.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who asks knows the type.
export function usePages<L extends { readonly next?: number | undefined }, T>(
  path: string,
  itemsOf: (page: L) => readonly T[],
  { everyMs, enabled = true }: PagesOptions = {},
): PagesState & { readonly items: readonly T[] | undefined } {
  const found = useInfiniteQuery({
    queryKey: keyOf(path),
    queryFn: ({ pageParam, signal }) => {
      const before = pageParam === undefined ? '' : `&before=${pageParam}`;
      const limit = `${path.includes('?') ? '&' : '?'}limit=${PAGE}`;
      return ask<L>(`${path}${limit}${before}`, { signal });
    },
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ next }) => next,
    enabled,
    refetchInterval: everyMs ?? false,
  });
  return {
    items: found.data?.pages.flatMap((page) => itemsOf(page)),
    problem: found.error as Problem | null,
    hasOlder: found.hasNextPage,
    isAsking: found.isFetchingNextPage,
    loadOlder: () => void found.fetchNextPage(),
  };
}
