/** Prints a failure: what, its code, why, how to fix. @module */
import type { Failure } from './failure.ts';
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';
import type { World } from './world.ts';

/** Writes a failure to standard error. */
export function printFailure({ stderr }: Pick<World, 'stderr'>, failure: Failure): void {
  const paint = paintFor(stderr);
  const rows: [string, string | undefined][] = [
    ['code', failure.code],
    ['why', failure.why],
    ['fix', failure.fix],
  ];
  stderr.write(`${paint.bad('error:')} ${lines(failure.message)}\n`);
  for (const [name, text] of rows) {
    if (text !== undefined) stderr.write(`  ${paint.faint(name.padEnd(4))}  ${lines(text)}\n`);
  }
}

function lines(text: string): string {
  return text.split('\n').map(printable).join('\n        ');
}
