/** The devices of the list: page by page as somebody scrolls, and changed as they change. @module */
import type { DeviceList, DeviceView, LiveDevice, LivePresence } from '@holdfast/protocol/api';
import {
  type InfiniteData,
  keepPreviousData,
  useInfiniteQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useMemo } from 'react';
import { ask } from '../../api/ask.ts';
import type { Problem } from '../../api/problem.ts';
import { keyOf } from '../../api/use-ask.ts';
import { useLive } from '../../live/use-live.tsx';
import { patched } from './patch-devices.ts';

const PAGE = 100;

/** The list so far. */
export interface Devices {
  readonly devices: readonly DeviceView[];
  /** How many match in all. */
  readonly count: number | undefined;
  readonly error: Problem | null;
  /** Another list is on its way; this one is the one before. */
  readonly isStale: boolean;
  readonly isLoading: boolean;
  readonly hasMore: boolean;
  readonly loadMore: () => void;
}

/** @param search - the filter and the order, as the API takes them. */
export function useDevices(search: string): Devices {
  const queryKey = [...keyOf('/v1/devices'), 'list', search];
  const queries = useQueryClient();
  const list = useInfiniteQuery<
    DeviceList,
    Problem,
    InfiniteData<DeviceList>,
    readonly string[],
    string | undefined
  >({
    queryKey,
    queryFn: ({ pageParam, signal }) => ask<DeviceList>(pathOf(search, pageParam), { signal }),
    initialPageParam: undefined,
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
    // Every page that was loaded would be asked for again; the stream of events tells the changes.
    refetchOnWindowFocus: false,
  });
  const patch = (change: (device: DeviceView) => DeviceView): void => {
    queries.setQueryData<InfiniteData<DeviceList>>(
      queryKey,
      (data) => data && patched(data, change),
    );
  };
  useLive<LiveDevice>('device', ({ id, state, stateReason, stateBy, at }) =>
    patch((device) =>
      device.id === id ? { ...device, state, stateReason, stateBy, stateAt: at } : device,
    ),
  );
  useLive<LivePresence>('presence', ({ changes, at }) => {
    const isConnected = new Map(changes.map((change) => [change.id, change.isConnected]));
    patch((device) => {
      const online = isConnected.get(device.id);
      return online === undefined ? device : { ...device, online, lastSeen: at };
    });
  });
  const { data } = list;
  const devices = useMemo(() => data?.pages.flatMap((page) => page.devices) ?? [], [data]);
  return {
    devices,
    count: data?.pages[0]?.count,
    error: list.error,
    isStale: list.isPlaceholderData,
    isLoading: list.isPending,
    hasMore: list.hasNextPage && !list.isFetchingNextPage,
    loadMore: () => void list.fetchNextPage(),
  };
}

function pathOf(search: string, after: string | undefined): string {
  const query = new URLSearchParams(search);
  query.set('limit', String(PAGE));
  if (after === undefined) query.set('count', 'yes');
  else query.set('after', after);
  return `/v1/devices?${query.toString()}`;
}
