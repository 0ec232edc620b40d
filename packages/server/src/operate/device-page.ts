/** One page of devices in some order, and how many there are of them. @module */
import type { DeviceSort } from '@holdfast/protocol/api';
import type { Device, DeviceColumns, Slot } from '../registry/index.ts';
import type { SlotTest } from './device-filter.ts';
import { type Place, FirstPlaces } from './first-places.ts';

/** Which page is wanted. */
export interface PageWish {
  readonly limit: number;
  readonly sort: DeviceSort;
  readonly order: 'asc' | 'desc';
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly counts: boolean;
}

/** A page, and how many there are on all pages, if that was asked for. */
export interface DevicePage {
  readonly devices: readonly Device[];
  readonly next: string | undefined;
  readonly count: number | undefined;
}

/** Key of those that are connected: before or behind all others. */
const ONLINE_KEY = Number.MAX_SAFE_INTEGER;

/**
 * Goes through the devices once, in the order of their ids, and keeps no more of them than a page.
 * In that order it begins behind the page before and ends with the page, when nothing is counted.
 */
export function devicePage(
  { limit, sort, order, after, counts }: PageWish,
  { columns, isMeant }: { columns: DeviceColumns; isMeant: SlotTest },
): DevicePage {
  const slots = columns.order;
  const keyOf = keyBy(sort, columns);
  const from = after === undefined ? undefined : cursorOf(after, { sort, order, columns });
  const first = new FirstPlaces(limit + 1, order);
  const isInOrder = sort === 'id' && order === 'asc';
  const start = isInOrder && !counts ? (from?.rank ?? -1) + 1 : 0;
  let count = 0;
  for (let rank = start; rank < slots.length; rank += 1) {
    const slot = slots[rank] ?? 0;
    if (!isMeant(slot)) continue;
    count += 1;
    if (isInOrder && first.isFull) {
      if (counts) continue;
      break;
    }
    const key = keyOf(slot);
    if (from === undefined || isBehind(from, { key, rank }, order)) first.add(key, rank);
  }
  const found = first.take();
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  const lastId = last && columns.at(last.rank)?.id;
  return {
    devices: page.flatMap(({ rank }) => columns.at(rank) ?? []),
    next: last && (sort === 'id' ? lastId : `${last.key}~${lastId}`),
    count: counts ? count : undefined,
  };
}

function keyBy(
  sort: DeviceSort,
  { sinceMs, seenMs, online }: DeviceColumns,
): (slot: Slot) => number {
  if (sort === 'id') return () => 0;
  if (sort === 'since') return (slot) => sinceMs[slot] ?? 0;
  return (slot) => (online[slot] === 1 ? ONLINE_KEY : (seenMs[slot] ?? 0));
}

/**
 * Where the page before ended. The device may have moved on, or its key is of another order: its id
 * tells the rank, which is between two when the id is not there any more.
 */
function cursorOf(
  after: string,
  { sort, order, columns }: { sort: DeviceSort; order: 'asc' | 'desc'; columns: DeviceColumns },
): Place {
  const tilde = after.indexOf('~');
  const id = after.slice(tilde + 1);
  const key = sort === 'id' || tilde < 0 ? 0 : Number(after.slice(0, tilde));
  const rank = columns.rankAfter(id) - 1;
  const isThere = columns.at(rank)?.id === id;
  return { key, rank: isThere || order === 'asc' ? rank : rank + 1 };
}

function isBehind(from: Place, place: Place, order: 'asc' | 'desc'): boolean {
  const difference = place.key - from.key || place.rank - from.rank;
  return order === 'asc' ? difference > 0 : difference < 0;
}
