/** Windows of time in which devices are offered a release. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { RolloutWindow } from '@holdfast/protocol/api';

const DAY_MINUTES = 1_440;

/** Whether one of the windows is open; without windows, it always is. */
export function isWithin(windows: readonly RolloutWindow[], atMs: number): boolean {
  return windows.length === 0 || windows.some((window) => isOpen(window, atMs));
}

/** Refuses `E_OPERATE_INPUT` a time zone that this machine does not know. */
export function windowProblem(windows: readonly RolloutWindow[]): Refusal | undefined {
  for (const { timeZone } of windows) {
    try {
      Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone);
    } catch {
      return refuse('E_OPERATE_INPUT', `There is no time zone ${timeZone}, as in Europe/Berlin.`);
    }
  }
  return undefined;
}

/** By the clock on the wall there: an hour that is skipped or repeated is not a case of its own. */
function isOpen({ days, fromMinute, toMinute, timeZone }: RolloutWindow, atMs: number): boolean {
  const local = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
  const minute = local.hour * 60 + local.minute;
  const endsNextDay = toMinute <= fromMinute;
  const end = endsNextDay ? toMinute + DAY_MINUTES : toMinute;
  const today = local.dayOfWeek;
  if (days.includes(today) && minute >= fromMinute && minute < end) return true;
  const yesterday = today === 1 ? 7 : today - 1;
  return endsNextDay && days.includes(yesterday) && minute < toMinute;
}
