/** How long something takes, on a machine that has other things to do as well. @module */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TICK_MS = 10;
/** A disk that takes longer for one byte is busy for somebody else. */
const DISK_TICKS_MAX = 5;

/**
 * Does something and gives the milliseconds that it took. They are counted by ticks of a timer:
 * while the machine gives this process no time, none passes, so a promise such as "closed within a
 * second" is held against the program and not against who else is busy. Nor does any pass while the
 * disk keeps waiting whoever stores something: an act is stored before it is answered.
 */
export async function runningMs(work: () => Promise<unknown>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  const file = await open(join(folder, 'probe'), 'w');
  const store = async (): Promise<void> => {
    await file.write('x');
    await file.datasync();
  };
  let ticks = 0;
  let probeTicks = 0;
  let probe: Promise<void> | undefined;
  const timer = setInterval(() => {
    probe ??= store()
      .catch(ignore)
      .finally(() => {
        probe = undefined;
        probeTicks = 0;
      });
    probeTicks += 1;
    if (probeTicks <= DISK_TICKS_MAX) ticks += 1;
  }, TICK_MS);
  try {
    await work();
    return ticks * TICK_MS;
  } finally {
    clearInterval(timer);
    await probe;
    await file.close();
    await rm(folder, { recursive: true });
  }
}

/** A disk that is full says so to whom it matters. */
function ignore(): void {}
