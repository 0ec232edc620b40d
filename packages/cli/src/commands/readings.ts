/** `readings`: what a device sent, verified. @module */
import type { ReadingView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { printable, shorten } from '../printable.ts';
import type { World } from '../world.ts';
import { FOLLOW_OPTION, HISTORY_OPTIONS, printHistory } from './history.ts';
import { SERIES_OPTIONS, type SeriesValues, printSeries } from './series-print.ts';

/** Prints the readings of a device. */
export const readings: Command = defineCommand(
  {
    path: 'readings',
    summary: 'show what a device sent: verified messages only',
    details:
      'With --json, one object a line; its "payload" is the exact text that was signed.\n' +
      'With --series, the numbers of one series, oldest first; the # is the place of the\n' +
      'message in the audit log. Names: holdfast series list <id>.',
    arguments: ['id'],
    options: { follow: FOLLOW_OPTION, ...SERIES_OPTIONS, ...HISTORY_OPTIONS },
    examples: [
      'readings thermostat-1 --follow',
      'readings thermostat-1 --series temperature --from -7d --resolution 1h',
    ],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const { series: name, follow } = values;
    checkOptions(values);
    if (name !== undefined) {
      return withClient(world, values.data, (client) =>
        printSeries(world, client, { id, name, values }),
      );
    }
    await withClient(world, values.data, (client) =>
      printHistory(world, values, {
        read: (page) => client.readings(id, page),
        follow: follow === true ? (options) => client.followReadings(id, options) : undefined,
        format: (reading) => line(reading, world),
        empty: `${id} has sent nothing yet.`,
      }),
    );
  },
);

function checkOptions({ series, follow, from, to, resolution }: Given): void {
  if (series !== undefined && follow === true) {
    throw usageFailure('--series does not follow.', 'Leave --follow out, or --series.');
  }
  if (series !== undefined || (from ?? to ?? resolution) === undefined) return;
  throw usageFailure(
    '--from, --to and --resolution belong to a series.',
    'For example: holdfast readings thermostat-1 --series temperature --from -7d',
  );
}

interface Given extends SeriesValues {
  readonly follow?: boolean | undefined;
}

function line({ at, topic, payload }: ReadingView, { stdout, timeZone }: World): string {
  const paint = paintFor(stdout);
  const time = localTime(at, timeZone);
  const name = printable(topic);
  const text = printable(withoutSignature(payload));
  const room = stdout.columns - time.length - name.length - 4;
  const shown = stdout.isTty ? shorten(text, Math.max(room, PAYLOAD_CHARACTERS_MIN)) : text;
  return `${paint.faint(time)}  ${paint.command(name)}  ${shown}\n`;
}

/** The payload as it was written, for reading: its numbers keep their form, its `sig` is left out. */
export function withoutSignature(payload: string): string {
  return payload.replace(SIGNATURE_FIRST, '$1').replace(SIGNATURE_LATER, '');
}

// Neither begins with white space that can start anywhere: a device chooses how long a run of it
// is, and the time would grow with the square of that.
const SIGNATURE_FIRST = /^(\s*\{\s*)"sig"\s*:\s*"[0-9a-f]{64}"\s*(?:,\s*)?/u;
const SIGNATURE_LATER = /,\s*"sig"\s*:\s*"[0-9a-f]{64}"/u;
const PAYLOAD_CHARACTERS_MIN = 30;
