/** Checks the clock: somebody keeps it right, and nothing that was stored lies ahead of it. @module */
import { statSync } from 'node:fs';
import { spanText } from '../local-time.ts';
import { type Finding, bad, good, unknown, warn } from './finding.ts';
import { outputOfProgram } from './program.ts';

const CHECK = 'clock';

/** File systems keep times less exactly than the clock tells them. */
const AHEAD_MS = 2_000;

/** What the clock is held against. */
export interface ClockFacts {
  readonly nowMs: number;
  /** The files that each commit writes. */
  readonly written: readonly string[];
  /** When the newest entry of the log was made, if a server told. */
  readonly newestEntryMs?: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Looks at the clock. */
export async function checkClock(facts: ClockFacts): Promise<Finding[]> {
  return [await checkSynchronization(facts.env), ...checkOrder(facts)];
}

async function checkSynchronization(env: ClockFacts['env']): Promise<Finding> {
  const isSynchronized = (await askTimedatectl(env)) ?? (await askChrony(env));
  if (isSynchronized === true) return good(CHECK, 'the kernel says that it is synchronized');
  if (isSynchronized === false) {
    return warn(CHECK, 'Nothing keeps the clock of this machine right.', {
      why: 'Messages whose time is too far from that of the server are refused, and certificates begin and end by it.',
      fix: 'Start a time service: timedatectl set-ntp true, or install chrony.',
    });
  }
  return unknown(CHECK, 'Whether the clock is synchronized cannot be seen here.', {
    why: 'Neither timedatectl nor chronyc answers; a container has the clock of its host.',
    fix: 'Look on the host: timedatectl, or chronyc tracking.',
  });
}

/** systemd asks the kernel by adjtimex(2), whoever keeps the clock. */
async function askTimedatectl(env: ClockFacts['env']): Promise<boolean | undefined> {
  const args = ['show', '--property=NTPSynchronized', '--value'];
  const answer = (await outputOfProgram('timedatectl', args, env))?.trim();
  if (answer !== 'yes' && answer !== 'no') return undefined;
  return answer === 'yes';
}

/** The last field is the leap status, which also says whether there is any time at all. */
async function askChrony(env: ClockFacts['env']): Promise<boolean | undefined> {
  const answer = await outputOfProgram('chronyc', ['-c', 'tracking'], env);
  if (answer === undefined) return undefined;
  return !answer.trim().endsWith('Not synchronised');
}

function checkOrder({ nowMs, written, newestEntryMs = 0 }: ClockFacts): Finding[] {
  const times = written.map(writtenMs);
  const newestMs = Math.max(newestEntryMs, ...times);
  if (newestMs === 0) return [];
  const aheadMs = newestMs - nowMs;
  if (aheadMs <= AHEAD_MS) return [good(CHECK, 'what is stored lies behind it')];
  return [
    bad(CHECK, `The audit log was written ${spanText(aheadMs)} ahead of the clock.`, {
      why: 'The clock was set back, or was wrong when that was written: times on the log do not grow, and new certificates may not count yet.',
      fix: 'Find out which of the two times is right, and set the clock before you start the server.',
    }),
  ];
}

/** When a file was written; 0 where that cannot be seen. */
function writtenMs(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  } catch {
    // In a folder of another user: the check of the folder says so.
    return 0;
  }
}
