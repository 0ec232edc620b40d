/** How long something takes, on a machine that has other things to do as well. @module */

const TICK_MS = 10;

/**
 * Does something and gives the milliseconds that it took. They are counted by ticks of a timer:
 * while the machine gives this process no time, none passes, so a promise such as "closed within a
 * second" is held against the program and not against who else is busy.
 */
export async function runningMs(work: () => Promise<unknown>): Promise<number> {
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), TICK_MS);
  try {
    await work();
    return ticks * TICK_MS;
  } finally {
    clearInterval(timer);
  }
}
