/** What a new device has done so far, as it happens. @module */
import type {
  DeviceDetail,
  DeviceSessions,
  LiveDevice,
  LivePresence,
  ReadingView,
  RefusalView,
} from '@holdfast/protocol/api';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { keyOf, useAsk } from '../../api/use-ask.ts';
import { useLive } from '../../live/use-live.tsx';
import { type Fit, addressesOf, fitOf } from './refusal-fit.ts';

/** A refusal that concerns the device. */
export interface FittingRefusal {
  readonly refusal: RefusalView;
  readonly fit: Fit;
}

/** How far it has come. */
export interface FirstSigns {
  readonly isEnrolled: boolean;
  readonly hasConnected: boolean;
  /** Its first verified reading, or a later one where somebody looks later. */
  readonly reading: ReadingView | undefined;
  /** Newest first; undefined for whoever may not see refusals. */
  readonly refusals: readonly FittingRefusal[] | undefined;
}

/** What the live stream does not tell is asked for this often, until the first reading. */
const ASKED_MS = 5_000;

/** Follows a device. @param since - ISO 8601: what was refused before does not count. */
export function useFirstSigns(id: string, since: string, maySeeRefusals: boolean): FirstSigns {
  const reading = useReading(id);
  const everyMs = reading === undefined ? { everyMs: ASKED_MS } : {};
  const path = `/v1/devices/${id}`;
  const detail = useAsk<DeviceDetail>(path, everyMs);
  const sessions = useAsk<DeviceSessions>(`${path}/sessions`, everyMs);
  const hasBeenSeen = usePresence(id);
  const all = useRefusals(since, maySeeRefusals);
  const { device, certificates = [] } = detail.data ?? {};
  const addresses = addressesOf(all, id, knownAddresses(sessions.data));
  const refusals = all.flatMap((refusal) => {
    const fit = fitOf(refusal, { id, addresses });
    return fit === undefined ? [] : [{ refusal, fit }];
  });
  const isConnected = device?.online === true || device?.lastSeen !== undefined;
  return {
    isEnrolled: certificates.length > 0 || reading !== undefined,
    hasConnected: hasBeenSeen || isConnected || reading !== undefined,
    reading,
    refusals: maySeeRefusals ? refusals : undefined,
  };
}

function knownAddresses(sessions: DeviceSessions | undefined): string[] {
  const now = sessions?.connection?.address;
  return [
    ...(now === undefined ? [] : [now]),
    ...(sessions?.previous ?? []).map((one) => one.address),
  ];
}

function useReading(id: string): ReadingView | undefined {
  const path = `/v1/devices/${id}/readings`;
  const before = useAsk<{ readonly readings: readonly ReadingView[] }>(`${path}?limit=1`);
  const [heard, setHeard] = useState<ReadingView>();
  const queries = useQueryClient();
  useEffect(() => {
    setHeard(undefined);
    const source = new EventSource(`${path}/stream`);
    source.addEventListener('reading', ({ data }: MessageEvent<string>) => {
      setHeard(JSON.parse(data) as ReadingView);
    });
    // What came before the stream was there, or while it was away, is on the list.
    source.addEventListener('open', () => {
      void queries.invalidateQueries({ queryKey: keyOf(path) });
    });
    return () => source.close();
  }, [path, queries]);
  return heard ?? before.data?.readings[0];
}

/** Whether the live stream told of it; each word about the device makes what is known of it stale. */
function usePresence(id: string): boolean {
  const [seen, setSeen] = useState('');
  const queries = useQueryClient();
  const askAgain = (): void => {
    void queries.invalidateQueries({ queryKey: keyOf(`/v1/devices/${id}`) });
  };
  useLive<LiveDevice>('device', (device) => {
    if (device.id === id) askAgain();
  });
  useLive<LivePresence>('presence', ({ changes }) => {
    if (!changes.some((change) => change.id === id)) return;
    setSeen(id);
    askAgain();
  });
  useLive<{ readonly target?: string }>('act', ({ target }) => {
    if (target === id) askAgain();
  });
  return seen === id;
}

function useRefusals(since: string, isEnabled: boolean): readonly RefusalView[] {
  const path = `/v1/refusals?limit=200&since=${encodeURIComponent(since)}`;
  const before = useAsk<{ readonly refusals: readonly RefusalView[] }>(path, {
    enabled: isEnabled,
  });
  const [heard, setHeard] = useState<readonly RefusalView[]>([]);
  useLive<RefusalView>('refusal', (refusal) => {
    setHeard((list) => [refusal, ...list].slice(0, HEARD_MAX));
  });
  useLive('left-out', () => void before.refetch());
  const known = new Map<number, RefusalView>();
  for (const refusal of [...(before.data?.refusals ?? []), ...heard]) {
    if (refusal.at >= since) known.set(refusal.index, refusal);
  }
  return [...known.values()].toSorted((a, b) => b.index - a.index);
}

const HEARD_MAX = 200;
