/**
 * Whether the clock of this device can be believed. No time of the server is used: a stolen one
 * would make old metadata fresh. A wrong clock stops updates, and nothing more: nothing is written
 * down by it that would still count when it is right again.
 * @module
 */
import type { DeviceError } from '../device-error.ts';
import { UPDATE_CLOCK_BEHIND_MS_MAX, UPDATE_CLOCK_OFF_MS_MAX } from './limits.ts';
import { updateError } from './update-error.ts';

/**
 * @param passedMs - times that have surely passed, in milliseconds since 1970
 * @throws DeviceError `E_DEVICE_UPDATE_CLOCK` when the clock is behind one of them
 */
export function requireClock(nowMs: number, passedMs: readonly number[]): void {
  const latestMs = Math.max(...passedMs);
  if (nowMs >= latestMs - UPDATE_CLOCK_BEHIND_MS_MAX) return;
  const what = `The clock says ${timeOf(nowMs)}, but it is later than ${timeOf(latestMs)}`;
  throw updateError('E_DEVICE_UPDATE_CLOCK', what);
}

/** What expired only by a clock that is ahead of the server's is a matter of that clock. */
export function blameClock(
  error: DeviceError,
  { nowMs, serverMs }: { readonly nowMs: number; readonly serverMs: number | undefined },
): DeviceError {
  if (error.code !== 'E_DEVICE_UPDATE_EXPIRED' || serverMs === undefined) return error;
  if (nowMs <= serverMs + UPDATE_CLOCK_OFF_MS_MAX) return error;
  const what = `${error.message} The clock says ${timeOf(nowMs)}, the server ${timeOf(serverMs)}`;
  return updateError('E_DEVICE_UPDATE_CLOCK', what, error);
}

function timeOf(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? `${ms} ms` : time.toISOString();
}
