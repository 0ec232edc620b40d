/** `device enroll`: runs on the device, needs no login. @module */
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { DEVICE_TOKEN_OPTIONS, withDeviceToken } from '../device-token.ts';
import { usageFailure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { printable } from '../printable.ts';
import { textFrom } from '../text-source.ts';

/** Turns a claim into a device bundle. */
export const deviceEnroll: Command = defineCommand(
  {
    path: 'device enroll',
    summary: 'on the device: turn a claim into its keys and certificate',
    details:
      'The private key is made here and never leaves this machine. The claim is sent\n' +
      'only to the server that it names, proven by the trust anchor in it.\n' +
      'Other users of this machine can see a command line while it runs: where there are\n' +
      'any, give the claim as @FILE, or - for standard input.\n' +
      'With a token (TPM, secure element) the keys are made in it, and cannot leave it.',
    options: {
      claim: {
        type: 'string',
        value: 'CLAIM',
        help: 'the claim text; @FILE, or - for standard input',
      },
      out: { type: 'string', value: 'FOLDER', help: 'folder to make for the bundle' },
      ...DEVICE_TOKEN_OPTIONS,
    },
    examples: [
      'device enroll --claim holdfast-claim/1/… --out ./thermostat-1',
      'device enroll --claim - --out ./thermostat-1 < claim.txt',
    ],
  },
  async (world, { values }) => {
    const { claim: source, out } = values;
    const example =
      'For example: holdfast device enroll --claim holdfast-claim/1/… --out ./thermostat-1';
    if (source === undefined) throw usageFailure('The claim is missing (--claim).', example);
    if (out === undefined) throw usageFailure('The folder is missing (--out).', example);
    const claim = await textFrom(source, world);
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
