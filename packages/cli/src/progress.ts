/** One line on a terminal that tells how far something is. @module */
import type { Output } from './world.ts';

/** Shows progress on a terminal only. */
export interface Progress {
  show(text: string): void;
  clear(): void;
}

export function progressOn(stderr: Output): Progress {
  return {
    show: (text) => {
      if (stderr.isTty) stderr.write(`\r\u001B[K${text}`);
    },
    clear: () => {
      if (stderr.isTty) stderr.write('\r\u001B[K');
    },
  };
}
