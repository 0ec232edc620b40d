/** One line on a terminal that tells how far something is. @module */
import { shorten } from './printable.ts';
import type { Output } from './world.ts';

/** Shows progress on a terminal only: a file or a pipe gets nothing of it. */
export interface Progress {
  /** A line without an end in sight. */
  readonly show: (text: string) => void;
  /** A bar, its percentage, and what stands beside them. */
  readonly bar: (done: number, total: number, text: string) => void;
  readonly clear: () => void;
}

const BAR_WIDTH = 24;

export function progressOn(stderr: Output): Progress {
  const write = (text: string): void => {
    // A line that wraps would not be written over.
    if (stderr.isTty) stderr.write(`${CLEAR}${shorten(text, Math.max(stderr.columns - 1, 1))}`);
  };
  return {
    show: write,
    bar: (done, total, text) => write(`${barText(done, total)}  ${text}`),
    clear: () => {
      if (stderr.isTty) stderr.write(CLEAR);
    },
  };
}

/** Never quite full before it is whole, and never fuller than that: totals are often guesses. */
function barText(done: number, total: number): string {
  const share = total > 0 ? Math.min(Math.max(done / total, 0), 1) : 0;
  const full = Math.floor(share * BAR_WIDTH);
  const percent = `${Math.floor(share * 100)}`.padStart(3);
  return `${'█'.repeat(full)}${'·'.repeat(BAR_WIDTH - full)} ${percent} %`;
}

const CLEAR = '\r\u001B[K';
