import type { Client } from '@holdfast/client';
/** Prints a series of a device: its values, or what was rolled up of them. @module */
import {
  POINTS_LIMIT,
  RESOLUTIONS,
  type Resolution,
  type SeriesPage,
} from '@holdfast/protocol/api';
import { integerOption } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { sparkline } from '../sparkline.ts';
import { nearest } from '../suggest.ts';
import { table } from '../table.ts';
import { timeOption } from '../time-option.ts';
import type { World } from '../world.ts';

/** The options of a command that prints a series. */
export const SERIES_OPTIONS = {
  series: { type: 'string', value: 'NAME', help: 'numbers of one series instead of messages' },
  from: { type: 'string', value: 'TIME', help: 'from when on: -7d, 2026-11-21, ISO 8601' },
  to: { type: 'string', value: 'TIME', help: 'until when (default: now)' },
  resolution: {
    type: 'string',
    value: 'SPAN',
    help: `lowest, mean and highest by ${RESOLUTIONS.join(', ')}`,
  },
} as const;

/** What was given of them. */
export interface SeriesValues {
  readonly series?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly resolution?: string | undefined;
  readonly limit?: string | undefined;
  readonly json?: boolean | undefined;
}

const LIMIT_DEFAULT = 1_000;
const LIMIT_MAX = 10_000_000;

/** Prints a series, page by page. @throws Failure when the device has none of that name. */
export async function printSeries(
  world: World,
  client: Pick<Client, 'series' | 'seriesPoints'>,
  { id, name, values }: { id: string; name: string; values: SeriesValues },
): Promise<void> {
  const { stderr } = world;
  const limit =
    values.limit === undefined
      ? LIMIT_DEFAULT
      : integerOption(values.limit, { name: 'limit', min: 1, max: LIMIT_MAX });
  const time = (option: 'from' | 'to'): string | undefined => {
    const text = values[option];
    const { timeZone } = world;
    return text && timeOption(text, { name: option, nowMs: world.nowMs(), timeZone });
  };
  const resolution = values.resolution === undefined ? undefined : readSpan(values.resolution);
  const query = { series: name, from: time('from'), to: time('to'), resolution };
  const shown: number[] = [];
  let [left, after]: [number, string | undefined] = [limit, undefined];
  for (;;) {
    const pageLimit = Math.min(left, POINTS_LIMIT.max);
    const page: SeriesPage = await client.seriesPoints(id, { ...query, limit: pageLimit, after });
    if (after === undefined && page.behind > 0) {
      stderr.write(`The series are being made anew: ${page.behind} entries are still missing.\n`);
    }
    shown.push(...print(world, page, values.json === true));
    left -= page.points.length + page.buckets.length;
    after = page.next;
    if (after === undefined || left <= 0) break;
  }
  if (shown.length === 0) await explainNothing(world, client, id, name);
  else if (world.stdout.isTty && values.json !== true) summarize(world, shown);
  if (after !== undefined) stderr.write(`There is more; see --limit (it was ${limit}).\n`);
}

function readSpan(text: string): Resolution {
  const found = RESOLUTIONS.find((name) => name === text);
  if (found !== undefined) return found;
  throw usageFailure(
    `There is no resolution "${text}".`,
    `Choose one of ${RESOLUTIONS.join(', ')}, or leave --resolution out for single values.`,
  );
}

/** @returns what is to be drawn. */
function print({ stdout, timeZone }: World, page: SeriesPage, isJson: boolean): number[] {
  const { points, buckets } = page;
  if (isJson) for (const item of [...points, ...buckets]) stdout.write(jsonLine(item));
  else {
    stdout.write(
      table([
        ...points.map(({ at, value, index }) => [
          localTime(at, timeZone),
          text(value),
          `#${index}`,
        ]),
        ...buckets.map(({ at, count, min, max, mean }) => [
          localTime(at, timeZone),
          meanText(mean),
          `${text(min)} … ${text(max)}`,
          `${count} ${count === 1 ? 'value' : 'values'}`,
        ]),
      ]),
    );
  }
  return [...points.map(({ value }) => value), ...buckets.map(({ mean }) => mean)];
}

function summarize({ stdout }: World, values: readonly number[]): void {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const ends = [`${meanText(low)} `, ` ${meanText(high)}`];
  const room = stdout.columns - ends.join('').length - 1;
  const { faint, command } = paintFor(stdout);
  stdout.write(
    `${faint(ends[0] ?? '')}${command(sparkline(values, room))}${faint(ends[1] ?? '')}\n`,
  );
}

function text(value: number): string {
  return String(value);
}

/** A mean has as many digits as one likes. */
function meanText(value: number): string {
  return String(Number(value.toPrecision(MEAN_DIGITS)));
}

const MEAN_DIGITS = 6;

async function explainNothing(
  { stderr }: World,
  client: Pick<Client, 'series'>,
  id: string,
  name: string,
): Promise<void> {
  const { series } = await client.series(id);
  if (series.some((one) => one.name === name)) {
    stderr.write('There is nothing in this time.\n');
    return;
  }
  const names = series.map((one) => one.name);
  const meant = nearest(name, names);
  throw new Failure('E_CLI_SERIES', {
    what: `${id} has no series "${printable(name)}".`,
    why: names.length === 0 ? 'It has sent no numbers yet.' : undefined,
    fix:
      meant === undefined
        ? `See: holdfast series list ${id}`
        : `Did you mean ${printable(meant)}? See: holdfast series list ${id}`,
  });
}
