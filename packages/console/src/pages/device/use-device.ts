/** What the page knows of its device, kept fresh by what happens. @module */
import type {
  DeviceDetail,
  DevicePossibility,
  DevicePossibleAct,
  DeviceRights,
  LiveDevice,
  LivePresence,
} from '@holdfast/protocol/api';
import { type UseQueryResult, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Problem } from '../../api/problem.ts';
import { keyOf, useAsk } from '../../api/use-ask.ts';
import { useLive } from '../../live/use-live.tsx';

/** Asked again this often where no event tells, as to who may not see the server. */
const EVERY_MS = 30_000;

/** Where all of a device stands in the API. */
export const pathOf = (id: string): string => `/v1/devices/${encodeURIComponent(id)}`;

/** The device. Its state and its connection are told as they change. */
export function useDevice(id: string): UseQueryResult<DeviceDetail, Problem> {
  const queries = useQueryClient();
  const path = pathOf(id);
  useLive<LiveDevice>('device', (change) => {
    if (change.id === id) void queries.invalidateQueries({ queryKey: keyOf(path) });
  });
  useLive<LivePresence>('presence', ({ changes, leftOut }) => {
    if (leftOut === 0 && !changes.some((change) => change.id === id)) return;
    void queries.invalidateQueries({ queryKey: keyOf(path), exact: true });
    void queries.invalidateQueries({ queryKey: keyOf(`${path}/sessions`) });
  });
  useLive<{ readonly target?: string }>('act', ({ target }) => {
    if (target !== id) return;
    for (const part of ['', '/rights', '/acts', '/update', '/api-keys']) {
      void queries.invalidateQueries({ queryKey: keyOf(`${path}${part}`), exact: part === '' });
    }
  });
  return useAsk<DeviceDetail>(path, { everyMs: EVERY_MS });
}

/** What the person may do to it and see of it; nothing is known before the answer is there. */
export interface Rights {
  readonly get: (act: DevicePossibleAct) => DevicePossibility | undefined;
  readonly reads: DeviceRights['reads'] | undefined;
}

/** Asks what the person may do. */
export function useRights(id: string): Rights {
  const { data } = useAsk<DeviceRights>(`${pathOf(id)}/rights`);
  return useMemo(() => {
    const acts = new Map(data?.acts.map((one) => [one.act, one]));
    return { get: (act) => acts.get(act), reads: data?.reads };
  }, [data]);
}
