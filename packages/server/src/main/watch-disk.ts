/** Joins the watch over the disk with those who tell of it. @module */
import { statfs } from 'node:fs/promises';
import type { RecordEvent } from '../audit/index.ts';
import { type DiskCondition, DiskWatch, type Journal } from '../journal/index.ts';
import { type Log, systemClock } from '../kernel/index.ts';
import { DISK_RESERVE_BYTES } from './limits.ts';
import type { Metrics } from './metrics.ts';

/** What is said to whoever reads the log of the server. */
const WORDS: Readonly<Record<DiskCondition, string>> = {
  good: 'the disk takes everything again',
  slow: 'the disk is slow: a commit has taken seconds',
  failing: 'the disk refuses what is written',
  full: 'the disk is nearly full: no messages are taken until there is room',
};

/** Starts to watch the disk of a data folder; a change is logged, and recorded as an event. */
export async function watchDisk({
  path,
  reserveBytes = DISK_RESERVE_BYTES,
  journal,
  log,
  metrics,
  recordEvent,
}: {
  readonly path: string;
  readonly reserveBytes: number | undefined;
  readonly journal: Journal;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly recordEvent: RecordEvent;
}): Promise<DiskWatch> {
  const watch = new DiskWatch({
    // The machine's own: this is about its disk.
    clock: systemClock,
    log,
    reserveBytes,
    readFreeBytes: async () => {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    },
    journal,
  });
  watch.onChange(({ condition, freeBytes }, before) => {
    const event = { 'event.action': `disk.${condition}`, bytes: freeBytes };
    if (condition === 'good') log.info(event, WORDS.good);
    else log.error(event, WORDS[condition]);
    // Stored when the disk can take it: below the reserve there is room for this.
    recordEvent({ name: `disk.${condition}`, facts: { before, freeBytes, reserveBytes } }).catch(
      (error: unknown) => log.error({ 'error.message': String(error) }, 'not recorded'),
    );
  });
  metrics.watchDisk(() => watch.figures);
  await watch.start();
  return watch;
}
