/** `device enroll`: runs on the device, needs no login. @module */
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { DEVICE_TOKEN_OPTIONS, withDeviceToken } from '../device-token.ts';
import { usageFailure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { printable } from '../printable.ts';
import { secretTextFrom } from '../text-source.ts';

/** Turns a claim into a device bundle. */
export const deviceEnroll: Command = defineCommand(
  {
    path: 'device enroll',
    summary: 'on the device: turn a claim into its keys and certificate',
    details:
      'The private key is made here and never leaves this machine. The claim is sent\n' +
      'only to the server that it names, proven by the trust anchor in it.\n' +
      'It is asked for, or comes by @FILE, or - for standard input: on a command line\n' +
      'other users of the machine would see it.\n' +
      'With a token (TPM, secure element) the keys are made in it, and cannot leave it.',
    options: {
      claim: {
        type: 'string',
        value: '@FILE',
        help: 'where the claim is: @FILE, or - for standard input',
      },
      out: { type: 'string', value: 'FOLDER', help: 'folder to make for the bundle' },
      ...DEVICE_TOKEN_OPTIONS,
    },
    examples: [
      'device enroll --out ./thermostat-1',
      'device enroll --claim @claim.txt --out ./thermostat-1',
    ],
  },
  async (world, { values }) => {
    const { claim: source, out } = values;
    if (out === undefined) {
      throw usageFailure('The folder is missing (--out).', 'For example: --out ./thermostat-1');
    }
    const claim = await secretTextFrom(source, world, { what: 'claim', option: 'claim' });
    const { enroll } = await world.device();
    const { stdout } = world;
    const paint = paintFor(stdout);
    const log = (line: string) => stdout.write(`${paint.good('✓')} ${printable(line)}\n`);
    const { device } = await withDeviceToken(world, values, (token) =>
      enroll({ claim, out, log, ...(token && { token }) }),
    );
    stdout.write(`\n${paint.strong(printable(device))} is enrolled. See what it sends:\n\n`);
    stdout.write(`  ${paint.command(`npx holdfast readings ${printable(device)} --follow`)}\n`);
  },
);
