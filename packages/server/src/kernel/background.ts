/** Threads that do what can wait. @module */
import { getPriority, setPriority } from 'node:os';
import { platform } from 'node:process';

/** About a tenth of a core beside a busy thread, and all of it beside none. */
const NICENESS = 10;

/**
 * Lets the calling thread go behind those of the messages when the machine is busy. What is made of
 * the log can be late; an acknowledgement is waited for. Elsewhere than on Linux it does nothing:
 * there, the number 0 means the whole process.
 * @see setpriority(2), "C library/kernel differences"
 */
export function goBehindMessages(): void {
  if (platform !== 'linux') return;
  try {
    setPriority(0, Math.max(getPriority(0), NICENESS));
  } catch {
    // A sandbox may forbid it: then all threads are equal, as they were.
  }
}
