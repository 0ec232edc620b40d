/** Refusals that fit, newest first, with those that come meanwhile. @module */
import type { LiveLeftOut, RefusalList, RefusalView } from '@holdfast/protocol/api';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { type Problem, problemOf } from '../../api/problem.ts';
import { keyOf } from '../../api/use-ask.ts';
import { useLive, useLiveState } from '../../live/use-live.tsx';
import { type RefusalFilter, fits, queryOf } from './refusal-filter.ts';

const PAGE = 100;
/** Those that came while the page is open; older ones make room, and stand in the list below. */
const CAME_MAX = 500;

/** The list. */
export interface Refusals {
  /** Newest first; undefined before the first answer. */
  readonly all: readonly RefusalView[] | undefined;
  /** How many wait to be shown. */
  readonly waiting: number;
  /** How many a flood had besides those that are told one by one. */
  readonly leftOut: number;
  readonly problem: Problem | null;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly showWaiting: () => void;
  readonly loadMore: () => void;
  readonly renew: () => void;
}

/** @param isHeld - while it is, nothing comes on top of what somebody reads. */
export function useRefusals(filter: RefusalFilter, isHeld: boolean): Refusals {
  const path = `/v1/refusals?${queryOf(filter, PAGE)}`;
  const [came, setCame] = useState<readonly RefusalView[]>([]);
  const [waiting, setWaiting] = useState<readonly RefusalView[]>([]);
  const [leftOut, setLeftOut] = useState(0);
  const query = useInfiniteQuery<RefusalList, Problem>({
    queryKey: keyOf(path),
    queryFn: ({ pageParam, signal }) => ask<RefusalList>(`${path}${String(pageParam)}`, { signal }),
    initialPageParam: '',
    getNextPageParam: ({ next }) => (next === undefined ? undefined : `&before=${next}`),
    // What is new comes by the stream; to ask for all pages again would only move them.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  const state = useLiveState();
  const before = useRef(state);
  const { refetch } = query;
  useEffect(() => {
    // What came while the stream was not there, or not yet, is told by nobody else.
    if (state === 'live' && before.current !== 'live') void refetch();
    before.current = state;
  }, [state, refetch]);
  useLive<RefusalView>('refusal', (refusal) => {
    if (!fits(refusal, filter)) return;
    const add = isHeld ? setWaiting : setCame;
    add((before) => [refusal, ...before].slice(0, CAME_MAX));
  });
  useLive<LiveLeftOut>('left-out', ({ of, count }) => {
    if (of === 'refusal') setLeftOut((before) => before + count);
  });
  const read = query.data?.pages.flatMap((page) => page.refusals);
  return {
    all: read && merged(came, read),
    waiting: missing(waiting, read ?? []).length,
    leftOut,
    problem: query.error === null ? null : problemOf(query.error),
    hasMore: query.hasNextPage,
    isLoadingMore: query.isFetchingNextPage,
    showWaiting: () => {
      setCame((before) => [...waiting, ...before].slice(0, CAME_MAX));
      setWaiting([]);
    },
    loadMore: () => void query.fetchNextPage(),
    renew: () => {
      setCame([]);
      setWaiting([]);
      setLeftOut(0);
      void query.refetch();
    },
  };
}

/** Each one once: what came by the stream may stand in an answer, too. */
function merged(came: readonly RefusalView[], read: readonly RefusalView[]): RefusalView[] {
  return [...missing(came, read), ...read];
}

/** What came by the stream and stands in no answer so far. */
function missing(came: readonly RefusalView[], read: readonly RefusalView[]): RefusalView[] {
  const known = new Set(read.map(({ index }) => index));
  return came.filter(({ index }) => !known.has(index));
}
