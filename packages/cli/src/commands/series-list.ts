/** `series list` and `series latest`: what numbers devices report. @module */
import { DEVICE_CLASS_LIST, LATEST_LIMIT } from '@holdfast/protocol/api';
import type { LatestList, LatestView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { table } from '../table.ts';
import { showOrWatch, WATCH_OPTION } from '../watch.ts';

/** Lists the series of a device. */
export const seriesList: Command = defineCommand(
  {
    path: 'series list',
    summary: 'list the series of numbers that a device reports',
    details:
      'A series is called by its topic behind "telemetry" and its place in the JSON:\n' +
      'kitchen/temperature. Its values: holdfast readings <id> --series NAME.',
    arguments: ['id'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['series list thermostat-1'],
  },
  async ({ stdout, stderr, timeZone, ...world }, { values, positionals: [id = ''] }) => {
    const all = { stdout, stderr, timeZone, ...world };
    const { series, passedOver, behind } = await withClient(all, values.data, (client) =>
      client.series(id),
    );
    if (values.json === true) {
      for (const one of series) stdout.write(jsonLine(one));
      return;
    }
    const { strong, faint } = paintFor(stdout);
    const rows = series.map(({ name, count, lastAt, lastValue, kind }) => [
      strong(printable(name)),
      valueText(lastValue, kind),
      faint(localTime(lastAt, timeZone)),
      faint(`${count} ${count === 1 ? 'value' : 'values'}`),
    ]);
    stdout.write(table(rows));
    if (series.length === 0) stderr.write(`${id} has sent no numbers yet.\n`);
    if (behind > 0) stderr.write(`Series are being made anew: ${behind} entries are missing.\n`);
    if (passedOver > 0) {
      stderr.write(`${passedOver} values were passed over: the device has too many series.\n`);
    }
  },
);

/** Shows the last values of many devices. */
export const seriesLatest: Command = defineCommand(
  {
    path: 'series latest',
    summary: 'show the last values of all devices, or of a class or a group',
    options: {
      series: { type: 'string', value: 'NAME', help: 'of this series only' },
      class: { type: 'string', value: 'CLASS', help: DEVICE_CLASS_LIST.join(', ') },
      group: { type: 'string', value: 'GROUP', help: 'of devices of this group' },
      watch: WATCH_OPTION,
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['series latest --series temperature', 'series latest --group floor-2 --json'],
  },
  async (world, { values }) => {
    const { timeZone } = world;
    const { series, group } = values;
    const className = values.class === undefined ? undefined : readClass(values.class);
    const filter = { series, group, class: className, limit: LATEST_LIMIT.max };
    await withClient(world, values.data, (client) =>
      showOrWatch(world, values, {
        read: async () => {
          const latest: LatestView[] = [];
          let page: LatestList | undefined;
          do {
            page = await client.latestReadings({ ...filter, after: page?.next });
            latest.push(...page.latest);
          } while (page.next !== undefined);
          return latest;
        },
        text: (latest) => table(latest.flatMap((one) => rowsOf(one, timeZone))),
        json: (latest) => latest.map(jsonLine).join(''),
      }),
    );
  },
);

function valueText(value: number, kind: 'number' | 'boolean'): string {
  return kind === 'boolean' ? String(value === 1) : String(value);
}

function rowsOf({ device, values }: LatestView, timeZone: string): string[][] {
  return values.map(({ series, value, kind, at }) => [
    printable(device),
    printable(series),
    valueText(value, kind),
    localTime(at, timeZone),
  ]);
}

function readClass(text: string): (typeof DEVICE_CLASS_LIST)[number] {
  const found = DEVICE_CLASS_LIST.find((name) => name === text);
  if (found !== undefined) return found;
  throw usageFailure(`There is no class "${text}".`, `There are ${DEVICE_CLASS_LIST.join(', ')}.`);
}
