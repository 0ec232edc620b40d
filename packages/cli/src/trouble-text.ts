/** Something that is wrong, as people read it: what, why, what to do. @module */
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';
import type { Output } from './world.ts';
import { wrapped } from './wrap.ts';

/** What is said of it. */
export interface TroubleText {
  /** A mark and the headline. */
  readonly head: string;
  readonly isBad: boolean;
  readonly why?: string | undefined;
  readonly fix?: string | undefined;
  /** A command line that goes on from there. */
  readonly command?: string | undefined;
}

/** Narrower, and words stand alone on their lines. */
const COLUMNS_MIN = 40;
const INDENT = 4;
const NAME_WIDTH = 5;

/** Its lines, and an empty one. On a terminal, long ones are broken between words. */
export function troubleText(
  { head, isBad, why, fix, command }: TroubleText,
  stdout: Output,
): string {
  const paint = paintFor(stdout);
  const room = Math.max(stdout.columns, COLUMNS_MIN) - INDENT - NAME_WIDTH;
  const facts = [
    ['why', why],
    ['fix', fix],
  ].flatMap(([name = '', text]) => {
    if (text === undefined || text === '') return [];
    const lines = text
      .split('\n')
      .flatMap((line) => (stdout.isTty ? wrapped(printable(line), room) : [printable(line)]));
    return lines.map((line, at) => [at === 0 ? paint.faint(name) : '', line]);
  });
  // A command is copied: it stays on one line.
  if (command !== undefined) facts.push([paint.faint('run'), paint.command(printable(command))]);
  const title = printable(head);
  return `  ${isBad ? paint.bad(title) : paint.strong(title)}\n${table(facts, INDENT)}\n`;
}
