/** `--watch`: shows the same again and again, in place on a terminal. @module */
import { asFailure, EXIT } from './failure.ts';
import { paintFor } from './paint.ts';
import { jsonLine, printable } from './printable.ts';
import type { World } from './world.ts';

/** How often: as often as the server counts what it shows. */
const WATCH_MS = 5_000;

/** The option of reads that can be watched. */
export const WATCH_OPTION = {
  type: 'boolean',
  help: 'show it again every 5 seconds, until Ctrl-C',
} as const;

/** What is watched. */
export interface Watched<T> {
  readonly read: () => Promise<T>;
  /** As people read it. */
  readonly text: (value: T) => string;
  /** As programs read it; without it, the value as one line. */
  readonly json?: (value: T) => string;
}

/**
 * Shows something once, or with `watch` for as long as the process runs: on a terminal it is drawn
 * over itself, elsewhere it is repeated, with `json` one line a time.
 * @returns what was read, when it was shown once.
 */
export async function showOrWatch<T>(
  world: World,
  { watch = false, json = false }: { watch?: boolean | undefined; json?: boolean | undefined },
  watched: Watched<T>,
): Promise<T> {
  const form = (value: T): string => {
    if (!json) return watched.text(value);
    return watched.json?.(value) ?? jsonLine(value);
  };
  // What cannot be read at all is no reason to wait: the command line may be wrong.
  const first = await watched.read();
  if (!watch) {
    world.stdout.write(form(first));
    return first;
  }
  const screen = json ? world.stdout.write : drawingOn(world);
  for (let next: T | undefined = first; ; next = await readOrSay(world, watched)) {
    if (next !== undefined) screen(form(next));
    await world.pause(WATCH_MS);
  }
}

/** A server that starts again is away for a while: the watch goes on. */
async function readOrSay<T>(world: World, { read }: Watched<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const failure = asFailure(error);
    if (failure.exitCode !== EXIT.unreachable) throw failure;
    const { faint } = paintFor(world.stderr);
    world.stderr.write(`${faint(`${printable(failure.message)} Trying again.`)}\n`);
    return undefined;
  }
}

/** Draws each text over the one before on a terminal; elsewhere it is repeated, with the time. */
export function drawingOn({ stdout, nowMs, timeZone }: World): (text: string) => void {
  let isFirst = true;
  return (text) => {
    if (stdout.isTty) {
      const drawn = `${HOME}${fitting(text, stdout.rows)}${CLEAR_BELOW}`;
      stdout.write(`${isFirst ? CLEAR : ''}${NO_WRAP}${drawn}${WRAP}`);
    } else {
      const at = Temporal.Instant.fromEpochMilliseconds(nowMs()).toZonedDateTimeISO(timeZone);
      const time = at.toPlainTime().toString({ fractionalSecondDigits: 0 });
      stdout.write(`${isFirst ? '' : '\n'}--- ${time}\n${text}`);
    }
    isFirst = false;
  };
}

/** As many lines as there are; each one clears what was behind it. The last is for the cursor. */
function fitting(text: string, rows: number): string {
  const lines = text.replace(/\n$/u, '').split('\n');
  const room = Math.max(rows - 1, 1);
  const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), '…'];
  return shown.map((line) => `${line}${CLEAR_LINE}\n`).join('');
}

const CLEAR = '\u001B[2J';
const HOME = '\u001B[H';
// A line that is too long must not take the place of two.
const NO_WRAP = '\u001B[?7l';
const WRAP = '\u001B[?7h';
const CLEAR_LINE = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';
