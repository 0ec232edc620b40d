/** `refusals`: what the server did not accept, and what to do about it. @module */
import type { RefusalView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { printable } from '../printable.ts';
import type { World } from '../world.ts';
import { FOLLOW_OPTION, HISTORY_OPTIONS, printHistory } from './history.ts';

/** Prints refusals. */
export const refusals: Command = defineCommand(
  {
    path: 'refusals',
    summary: 'show what was refused, why, and what to do about it',
    options: { follow: FOLLOW_OPTION, ...HISTORY_OPTIONS },
    examples: ['refusals --follow'],
  },
  async (world, { values }) => {
    await withClient(world, values.data, (client) =>
      printHistory(world, values, {
        read: (page) => client.refusals(page),
        follow: values.follow === true ? (options) => client.followRefusals(options) : undefined,
        format: (refusal) => lines(refusal, world),
        empty: 'Nothing was refused so far.',
      }),
    );
  },
);

function lines(refusal: RefusalView, { stdout, timeZone }: World): string {
  const { at, code, what, fix, detail, principal, address, topic, claimed, count } = refusal;
  const paint = paintFor(stdout);
  const who = printable(principal ?? address ?? 'unknown');
  const times = count > 1 ? `  × ${count}` : '';
  const head = `${paint.faint(localTime(at, timeZone))}  ${paint.bad(printable(code))}  ${who}`;
  const rows: [string, string | undefined][] = [
    ['detail', detail],
    ['topic', topic],
    ['claims', claimed === undefined ? undefined : `to be ${claimed} (not proven)`],
    ['from', principal === undefined ? undefined : address],
    ['fix', fix],
  ];
  const facts = rows.map(([name, text]) =>
    text === undefined || text === ''
      ? ''
      : `  ${paint.faint(name.padEnd(6))}  ${printable(text)}\n`,
  );
  return `${head}${times}\n  ${printable(what)}\n${facts.join('')}\n`;
}
