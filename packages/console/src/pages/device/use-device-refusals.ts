/** What was refused of a device, renewed as it happens. @module */
import type { RefusalList, RefusalView } from '@holdfast/protocol/api';
import { useRenewal } from '../../api/use-renewal.ts';
import { useLive } from '../../live/use-live.tsx';
import { type PagesState, usePages } from './use-pages.ts';

const EVERY_MS = 60_000;
/** In a flood, the list is asked for no more often than this. */
const RENEWED_MS = 2_000;

/** What the parts of the page show. */
export interface DeviceRefusals extends PagesState {
  /** The newest first; undefined before the first answer. */
  readonly refusals: readonly RefusalView[] | undefined;
}

/**
 * The refusals of a device, or of whoever said that it is this device. Who may not see them does
 * not ask: that would be a refusal itself.
 */
export function useDeviceRefusals(id: string, mayRead: boolean): DeviceRefusals {
  const path = `/v1/refusals?${new URLSearchParams({ device: id }).toString()}`;
  const renew = useRenewal(path, RENEWED_MS);
  useLive<RefusalView>('refusal', ({ principal, claimed }) => {
    if (principal === id || claimed === id) renew();
  });
  const { items, ...state } = usePages(path, ({ refusals }: RefusalList) => refusals, {
    enabled: mayRead,
    everyMs: EVERY_MS,
  });
  return { ...state, refusals: items };
}
