/** The history of a device, page by page. @module */
import type { DeviceActList, DeviceActView } from '@holdfast/protocol/api';
import { pathOf } from '../use-device.ts';
import { type PagesState, usePages } from '../use-pages.ts';

/** What the panels show. */
export interface ActsState extends PagesState {
  /** The newest first; undefined before the first answer. */
  readonly acts: readonly DeviceActView[] | undefined;
}

/** Asks for the history; acts that happen meanwhile come by themselves. */
export function useDeviceActs(id: string): ActsState {
  const path = `${pathOf(id)}/acts`;
  const { items, ...state } = usePages(path, ({ acts }: DeviceActList) => acts);
  return { ...state, acts: items };
}
