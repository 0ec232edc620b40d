/** `refusals`: what the server did not accept, and what to do about it. @module */
import {
  REFUSAL_GROUPINGS,
  type RefusalQuery,
  type RefusalSummary,
  type RefusalView,
} from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { table } from '../table.ts';
import { timeOption } from '../time-option.ts';
import type { World } from '../world.ts';
import { FOLLOW_OPTION, HISTORY_OPTIONS, printHistory } from './history.ts';

const SPANS = ['hour', 'day', 'week'] as const;

/** Prints refusals. */
export const refusals: Command = defineCommand(
  {
    path: 'refusals',
    summary: 'show what was refused, why, and what to do about it',
    details:
      'Newest last. With --by, how many there were of each device, address or code in the last\n' +
      'hour, day or week, the most frequent first: where to begin when there are many.',
    options: {
      follow: FOLLOW_OPTION,
      device: { type: 'string', value: 'ID', help: 'only of this device, proven or claimed' },
      address: { type: 'string', value: 'IP', help: 'only from this address' },
      code: { type: 'string', value: 'CODE', help: 'only with this code, as E_VERIFY_SIG' },
      from: { type: 'string', value: 'TIME', help: 'only from then on: -7d, 2026-11-21, ISO 8601' },
      by: { type: 'string', value: REFUSAL_GROUPINGS.join('|'), help: 'count them instead' },
      span: { type: 'string', value: SPANS.join('|'), help: 'of how long, for --by (default day)' },
      ...HISTORY_OPTIONS,
    },
    examples: ['refusals --follow', 'refusals --by device', 'refusals --device pump-1 --from -1h'],
  },
  async (world, { values }) => {
    const query = queryOf(world, values);
    const { by, span, data } = values;
    checkTogether(values, { isSearch: Object.keys(query).length > 0 });
    if (by !== undefined || span !== undefined) {
      const counted = { by: oneOf(REFUSAL_GROUPINGS, by, 'by'), span: oneOf(SPANS, span, 'span') };
      const summary = await withClient(world, data, (client) => client.refusalSummary(counted));
      return world.stdout.write(values.json === true ? jsonLine(summary) : sumText(summary, world));
    }
    await withClient(world, data, (client) =>
      printHistory(world, values, {
        read: async (page) => {
          if (Object.keys(query).length === 0) return client.refusals(page);
          return (await client.findRefusals({ ...page, ...query })).refusals;
        },
        follow: values.follow === true ? (options) => client.followRefusals(options) : undefined,
        format: (refusal) => lines(refusal, world),
        empty:
          Object.keys(query).length === 0 ? 'Nothing was refused so far.' : 'None was refused.',
      }),
    );
  },
);

interface Values {
  readonly follow?: boolean | undefined;
  readonly device?: string | undefined;
  readonly address?: string | undefined;
  readonly code?: string | undefined;
  readonly from?: string | undefined;
  readonly by?: string | undefined;
  readonly span?: string | undefined;
}

function queryOf(world: World, { device, address, code, from }: Values): RefusalQuery {
  const time = { name: 'from', nowMs: world.nowMs(), timeZone: world.timeZone };
  return {
    ...(device !== undefined && { device }),
    ...(address !== undefined && { address }),
    ...(code !== undefined && { code }),
    ...(from !== undefined && { since: timeOption(from, time) }),
  };
}

function checkTogether(values: Values, { isSearch }: { isSearch: boolean }): void {
  const isCount = values.by !== undefined || values.span !== undefined;
  if (values.follow === true && (isSearch || isCount)) {
    throw usageFailure('--follow shows all that is refused.', 'Leave the other options out.');
  }
  if (isCount && isSearch) {
    throw usageFailure('--by counts all that was refused.', 'Leave --by and --span out to search.');
  }
}

/** One of some words; the one that the server takes when none is given. */
function oneOf<T extends string>(
  words: readonly T[],
  text: string | undefined,
  name: string,
): T | undefined {
  const found = words.find((word) => word === text);
  if (found !== undefined || text === undefined) return found;
  throw usageFailure(`--${name} is not "${text}".`, `One of ${words.join(', ')}.`);
}

function sumText(summary: RefusalSummary, { stdout, timeZone }: World): string {
  const { by, span, groups, total, others, isComplete, since } = summary;
  if (total === 0) return `Nothing was refused in the last ${span}.\n`;
  const paint = paintFor(stdout);
  const rows = groups.map(({ key, count, lastAt, codes, devices, addresses }) => [
    paint.strong(key === '' ? 'nobody who was proven' : printable(key)),
    String(count),
    localTime(lastAt, timeZone),
    by === 'code'
      ? `${devices} devices, ${addresses} addresses`
      : codes.map(({ code, count }) => `${count} ${printable(code)}`).join(', '),
  ]);
  const head = [by.toUpperCase(), 'COUNT', 'LAST', by === 'code' ? 'OF' : 'CODES'];
  const more = others > 0 ? `and ${others} of others\n` : '';
  const part = isComplete ? '' : `Only those since ${localTime(since, timeZone)} were counted.\n`;
  return `${table([head.map(paint.faint), ...rows])}${more}${part}`;
}

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
