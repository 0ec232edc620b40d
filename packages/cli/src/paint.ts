/** Color, where the output has it. @module */
import { styleText } from 'node:util';
import type { Output } from './world.ts';

/** Marks text, or leaves it as it is on an output without color. */
export interface Paint {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly command: (text: string) => string;
  /** For what must be light on dark on any terminal, a line at a time. */
  readonly lightOnDark: (text: string) => string;
}

/** The paint for one output. Its decision on color is final, whatever the environment says. */
export function paintFor({ hasColor }: Output): Paint {
  const paint = (style: Parameters<typeof styleText>[0]) => (text: string) =>
    hasColor ? styleText(style, text, { validateStream: false }) : text;
  return {
    strong: paint('bold'),
    faint: paint('dim'),
    good: paint('green'),
    bad: paint(['bold', 'red']),
    command: paint('cyan'),
    lightOnDark: paint(['whiteBright', 'bgBlack']),
  };
}
