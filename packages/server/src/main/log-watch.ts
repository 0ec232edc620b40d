/** What the server notices of itself while it runs, and notes for the next start. @module */
import { REGISTRY_MARK, type ServerEvent } from '../audit/index.ts';
import type { CancelTimer, Clock } from '../kernel/index.ts';
import type { LastRun } from './check-rollback.ts';
import type { Context } from './context.ts';
import { CLOCK_JUMP_MS, CLOCK_WATCH_INTERVAL_MS, MARK_INTERVAL_MS } from './limits.ts';
import type { Audit, Storage } from './storage.ts';

/** What goes on beside the flow until the server stops. */
export interface LogWatch {
  /** Ends it, and keeps the newest checkpoint in the registry. */
  stop(): void;
}

/** Puts on the log what is to be said of the last run, and begins to watch. */
export function watchLog(
  { clock, log, onUndo }: Pick<Context, 'clock' | 'log' | 'onUndo'>,
  { store }: Pick<Storage, 'store'>,
  { recordEvent, lastRun }: Pick<Audit, 'recordEvent'> & { readonly lastRun: LastRun },
): LogWatch {
  const note = (event: ServerEvent): void => {
    recordEvent(event).catch((error: unknown) => {
      const what = { 'event.action': event.name, 'event.outcome': 'failure' };
      log.error({ ...what, 'error.message': String(error) }, 'not recorded');
    });
  };
  const warn = (event: ServerEvent, text: string): void => {
    log.warn({ 'event.action': event.name, ...event.facts }, text);
    note(event);
  };
  noteLastRun(lastRun, clock, warn);
  const mark = (): void => {
    try {
      store.state.mark();
    } catch (error) {
      // A full disk: the mark of before still holds, and the next one comes in a minute.
      const what = { 'event.action': 'registry-mark', 'event.outcome': 'failure' };
      log.error({ ...what, 'error.message': String(error) }, 'not marked');
    }
  };
  const cancelMarks = keepMarks(clock, { state: store.state, note, mark });
  const stopWatch = watchClock(clock, (byMs) => {
    const facts = { byMs, nowMs: clock.nowMs() };
    warn({ name: 'clock.jump', facts }, `the clock of the machine jumped by ${byMs} ms`);
  });
  const cancel = (): void => {
    cancelMarks();
    stopWatch();
  };
  onUndo(cancel);
  return {
    stop() {
      cancel();
      mark();
    },
  };
}

/** A run that ended without a word, and a clock that was set back since. */
function noteLastRun(
  { newest, isCleanStop }: LastRun,
  clock: Clock,
  warn: (event: ServerEvent, text: string) => void,
): void {
  if (newest === undefined) return;
  const { index, entry } = newest;
  if (!isCleanStop) {
    const facts = { lastEntry: index, lastAtMs: entry.atMs };
    warn({ name: 'server.unclean-stop', facts }, 'the last run ended without a clean stop');
  }
  const byMs = clock.nowMs() - entry.atMs;
  if (byMs >= -CLOCK_JUMP_MS) return;
  const facts = { byMs, nowMs: clock.nowMs(), lastAtMs: entry.atMs };
  warn({ name: 'clock.jump', facts }, 'the clock of the machine was set back since the last run');
}

/** Every minute, if something changed: the log names the registry, and the registry the log. */
function keepMarks(
  clock: Clock,
  {
    state,
    note,
    mark,
  }: {
    readonly state: Storage['store']['state'];
    readonly note: (event: ServerEvent) => void;
    readonly mark: () => void;
  },
): CancelTimer {
  let noted = state.generation;
  const tick = (): void => {
    if (state.generation !== noted) note({ name: REGISTRY_MARK });
    noted = state.generation;
    mark();
  };
  return every(clock, MARK_INTERVAL_MS, tick);
}

/** Tells by how many milliseconds the time of day moved besides its own pace. */
export function watchClock(clock: Clock, onJump: (byMs: number) => void): CancelTimer {
  const offset = (): number => clock.nowMs() - clock.monotonicMs();
  let before = offset();
  return every(clock, CLOCK_WATCH_INTERVAL_MS, () => {
    const now = offset();
    const byMs = Math.round(now - before);
    before = now;
    if (Math.abs(byMs) > CLOCK_JUMP_MS) onJump(byMs);
  });
}

function every(clock: Clock, intervalMs: number, task: () => void): CancelTimer {
  let cancel: CancelTimer | undefined;
  const wait = (): CancelTimer =>
    clock.after(intervalMs, () => {
      cancel = wait();
      task();
    });
  cancel = wait();
  return () => cancel?.();
}
