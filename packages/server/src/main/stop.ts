/** Stops the server: in the order in which nothing is lost, and in time. @module */
import { type Clock, type Log, sleep } from '../kernel/index.ts';
import type { Figures, SeriesStore } from '../telemetry/index.ts';
import { removeLocalAccess } from './data-folder.ts';
import type { Doors } from './doors.ts';
import type { Flow } from './flow.ts';
import { STOP_TIMEOUT_MS } from './limits.ts';
import type { LogWatch } from './log-watch.ts';
import type { Audit, Registries, Storage } from './storage.ts';

/** How a stop ended. */
export interface Stopped {
  /** False when the disk did not take what was pending in time: that is lost. */
  readonly isComplete: boolean;
}

/** What is to be stopped. */
export interface Running {
  readonly folder: Storage['folder'];
  readonly store: Pick<Storage['store'], 'close'>;
  /** Optional as it is nothing that a stop depends on. */
  readonly lastSeen?: Pick<Registries['lastSeen'], 'close'> | undefined;
  readonly figures?: Pick<Figures, 'stop'> | undefined;
  readonly custody: Pick<Storage['custody'], 'close'>;
  readonly lock: Storage['lock'];
  readonly sessions: Pick<Flow['sessions'], 'close'>;
  readonly listeners: readonly Pick<Doors['listeners'][number], 'close'>[];
  readonly publicName?: Pick<NonNullable<Doors['publicName']>, 'stop'> | undefined;
  readonly backups?: Pick<Doors['backups'], 'stop'> | undefined;
  readonly buckets?: Doors['buckets'] | undefined;
  readonly keyCare?: Doors['keyCare'] | undefined;
  readonly updates?: Doors['updates'] | undefined;
  readonly rollouts?: Pick<Doors['rollouts'], 'close'> | undefined;
  readonly refusals: Pick<Audit['refusals'], 'flush'>;
  readonly recordAct: Audit['recordAct'];
  readonly tiles: Pick<Audit['tiles'], 'close'>;
  readonly logWatch: LogWatch;
  readonly series?: Pick<SeriesStore, 'close'> | undefined;
  readonly disk: Pick<Audit['disk'], 'close'>;
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
  running.logWatch.stop();
  running.disk.close();
  running.lastSeen?.close();
  running.figures?.stop();
  store.close();
  running.custody.close();
  running.lock.release();
  return { isComplete };
}

/** No new input, then what is pending, then the log. */
async function endInOrder(running: Running): Promise<void> {
  removeLocalAccess(running.folder);
  running.publicName?.stop();
  await running.backups?.stop();
  await running.buckets?.stop();
  await running.keyCare?.stop();
  await running.rollouts?.close();
  await running.updates?.stop();
  running.sessions.close();
  await Promise.all(running.listeners.map((listener) => listener.close()));
  await running.series?.close();
  running.refusals.flush();
  await running.recordAct({ action: 'server.stop', principal: 'server' });
  // The writer closes last, so that it takes the write-ahead log with it.
  running.tiles.close();
  // Who closes last empties the write-ahead log, and a reader cannot.
  running.tiles.close();
  await running.journal.close();
}
