/** `readings`: what a device sent, verified. @module */
import type { ReadingView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { printable, shorten } from '../printable.ts';
import type { World } from '../world.ts';
import { FOLLOW_OPTION, HISTORY_OPTIONS, printHistory } from './history.ts';

/** Prints the readings of a device. */
export const readings: Command = defineCommand(
  {
    path: 'readings',
    summary: 'show what a device sent: verified messages only',
    details: 'With --json, one object a line; its "payload" is the exact text that was signed.',
    arguments: ['id'],
    options: { follow: FOLLOW_OPTION, ...HISTORY_OPTIONS },
    examples: ['readings thermostat-1 --follow', 'readings thermostat-1 --limit 1000 --json'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    await withClient(world, values.data, (client) =>
      printHistory(world, values, {
        read: (page) => client.readings(id, page),
        follow:
          values.follow === true ? (options) => client.followReadings(id, options) : undefined,
        format: (reading) => line(reading, world),
        empty: `${id} has sent nothing yet.`,
      }),
    );
  },
);

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
