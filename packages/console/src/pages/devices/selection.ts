/** Which devices are selected: these, or all that match. @module */
import type { DeviceSelection } from '@holdfast/protocol/api';
import type { Filter } from './filter-state.ts';

/** How many devices one request names; `DEVICE_IDS_MAX` of the API. */
export const IDS_MAX = 500;

/** What is selected. */
export type Selected =
  | { readonly kind: 'some'; readonly ids: ReadonlySet<string> }
  | { readonly kind: 'all'; readonly count: number };

export const NOTHING: Selected = { kind: 'some', ids: new Set() };

/** How many are selected. */
export function countOf(selected: Selected): number {
  return selected.kind === 'all' ? selected.count : selected.ids.size;
}

/** Whether one more can be selected by its name. */
export function isFull(selected: Selected): boolean {
  return selected.kind === 'some' && selected.ids.size >= IDS_MAX;
}

/** With a device in or out. Who takes one out of all that match means all that are shown but it. */
export function toggled(selected: Selected, id: string, shown: readonly string[]): Selected {
  const ids = new Set(selected.kind === 'some' ? selected.ids : shown.slice(0, IDS_MAX));
  if (!ids.delete(id) && ids.size < IDS_MAX) ids.add(id);
  return { kind: 'some', ids };
}

/** All that are shown, as many as a request can name. */
export function allShown(shown: readonly string[]): Selected {
  return { kind: 'some', ids: new Set(shown.slice(0, IDS_MAX)) };
}

export function isSelected(selected: Selected, id: string): boolean {
  return selected.kind === 'all' || selected.ids.has(id);
}

/** As the API takes it. */
export function selectionOf(selected: Selected, filter: Filter): DeviceSelection {
  if (selected.kind === 'some') return { ids: [...selected.ids] };
  return { filter: filter as Extract<DeviceSelection, { filter: unknown }>['filter'] };
}
