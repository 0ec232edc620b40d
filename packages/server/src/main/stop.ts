/** Stops the server: in the order in which nothing is lost, and in time. @module */
import { type Clock, type Log, sleep } from '../kernel/index.ts';
import { removeLocalAccess } from './data-folder.ts';
import type { Doors } from './doors.ts';
import type { Flow } from './flow.ts';
import { STOP_TIMEOUT_MS } from './limits.ts';
import type { Audit, Storage } from './storage.ts';

/** How a stop ended. */
export interface Stopped {
  /** False when the disk did not take what was pending in time: that is lost. */
  readonly isComplete: boolean;
}

/** What is to be stopped. */
export interface Running {
  readonly folder: Storage['folder'];
  readonly store: Pick<Storage['store'], 'close'>;
  readonly custody: Storage['custody'];
  readonly sessions: Pick<Flow['sessions'], 'close'>;
  readonly listeners: readonly Pick<Doors['listeners'][number], 'close'>[];
  readonly publicName?: Pick<NonNullable<Doors['publicName']>, 'stop'> | undefined;
  readonly refusals: Pick<Audit['refusals'], 'flush'>;
  readonly recordAct: Audit['recordAct'];
  readonly journal: Pick<Audit['journal'], 'close' | 'abandon' | 'pendingBytes'>;
}

/** Stops; what the disk does not take within `STOP_TIMEOUT_MS` is given up. */
export async function stop(
  running: Running,
  { clock, log }: { clock: Clock; log: Log },
): Promise<Stopped> {
  const { journal, store } = running;
  const isComplete = await Promise.race([
    endInOrder(running).then(() => true),
    sleep(clock, STOP_TIMEOUT_MS).then(() => false),
  ]);
  if (!isComplete) {
    const event = { 'event.action': 'server-stop', 'event.outcome': 'failure' };
    log.error({ ...event, bytes: journal.pendingBytes }, 'stopped; bytes that were not stored');
    journal.abandon();
  }
  store.close();
  running.custody.close();
  return { isComplete };
}

/** No new input, then what is pending, then the log. */
async function endInOrder(running: Running): Promise<void> {
  removeLocalAccess(running.folder);
  running.publicName?.stop();
  running.sessions.close();
  await Promise.all(running.listeners.map((listener) => listener.close()));
  running.refusals.flush();
  await running.recordAct({ action: 'server.stop', principal: 'server' });
  await running.journal.close();
}
