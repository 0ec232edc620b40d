/** `device add` and `device claim`: a claim, and how to use it. @module */
import { type ClaimedDevice, DEVICE_CLASS_LIST, type DeviceView } from '@holdfast/protocol/api';
import { renderUnicodeCompact } from 'uqr';
import { claimOf } from '../claim-of.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { nearest } from '../suggest.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

const OUTPUT_OPTIONS = {
  qr: { type: 'boolean', help: 'print the QR code also when the output is no terminal' },
  json: JSON_OPTION,
  data: DATA_OPTION,
} as const;

/** Registers a device and prints its claim. */
export const deviceAdd: Command = defineCommand(
  {
    path: 'device add',
    summary: 'register a device and print its claim',
    details:
      'The claim is what the device shows once to enroll: give it to nobody else.\n' +
      'It is printed this one time, and works once.',
    arguments: ['id'],
    options: {
      class: {
        type: 'string',
        value: 'CLASS',
        help: `what it is: ${DEVICE_CLASS_LIST.join(', ')}`,
      },
      group: { type: 'string', value: 'GROUP', help: 'the group that it is in' },
      ...OUTPUT_OPTIONS,
    },
    examples: ['device add thermostat-1 --class sensor'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const { group } = values;
    const device = {
      id,
      class: readClass(values.class, id),
      ...(group !== undefined && { group }),
    };
    const claimed = await withStepUp(world, values.data, (client) => client.addDevice(device));
    show(world, id, { claimed, ...values });
  },
);

/** Prints a new claim for a device that is registered. */
export const deviceClaim: Command = defineCommand(
  {
    path: 'device claim',
    summary: 'print a new claim for a device, to enroll it again',
    details: 'An earlier claim that was not used stops working.',
    arguments: ['id'],
    options: OUTPUT_OPTIONS,
    examples: ['device claim thermostat-1'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const claimed = await withStepUp(world, values.data, (client) => client.claimDevice(id));
    show(world, id, { claimed, ...values });
  },
);

function readClass(text: string | undefined, id: string): DeviceView['class'] {
  const found = DEVICE_CLASS_LIST.find((name) => name === text);
  if (found !== undefined) return found;
  const meant = nearest(text ?? '', DEVICE_CLASS_LIST) ?? 'sensor';
  throw usageFailure(
    text === undefined ? 'The class of the device is missing.' : `There is no class "${text}".`,
    `For example: holdfast device add ${id} --class ${meant} (one of ${DEVICE_CLASS_LIST.join(', ')}).`,
  );
}

function show(
  { stdout, timeZone }: World,
  id: string,
  {
    claimed,
    qr,
    json,
  }: {
    readonly claimed: ClaimedDevice;
    readonly qr?: boolean | undefined;
    readonly json?: boolean | undefined;
  },
): void {
  if (json === true) return stdout.write(jsonLine(claimed));
  const { device, claim } = claimed;
  const { text } = claim;
  const { host, port, secret } = claimOf(id, text);
  const paint = paintFor(stdout);
  const until = localTime(claim.expiresAt, timeZone).slice(0, -3);
  const code =
    qr === true || stdout.isTty ? `${qrLines(text).map(paint.lightOnDark).join('\n')}\n\n` : '';
  stdout.write(
    `${paint.strong(id)} (${device.class}) is ready to enroll. ` +
      `Its claim works once, until ${until}:\n\n` +
      `  ${paint.strong(text)}\n\n${code}` +
      `Next, on the device, either this, which asks for the claim,\n\n` +
      `  ${paint.command(`npx holdfast device enroll --out ./${id}`)}\n\n` +
      `or with openssl and curl (docs/guides/enroll-with-openssl.md), with\n\n` +
      table(
        [
          ['server', `https://${host}:${port}`],
          ['user', id],
          ['password', secret],
        ],
        2,
      ) +
      `\n${paint.faint(`Lost it, or it expired? holdfast device claim ${id}`)}\n`,
  );
}

/** The claim as a QR code. Its light parts are drawn, so it has to stand on a dark ground. */
function qrLines(text: string): string[] {
  return renderUnicodeCompact(text, { border: 2 }).split('\n');
}
