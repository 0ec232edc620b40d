/** `device pair-code` and `device reset`: who has a device. @module */
import { renderUnicodeCompact } from 'uqr';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { typeToErase } from '../type-to-confirm.ts';
import type { World } from '../world.ts';

const RESET_REASON_DEFAULT = 'reset on the command line';

/** Prints the code by which an owner's app is paired with a device. */
export const devicePairCode: Command = defineCommand(
  {
    path: 'device pair-code',
    summary: "print the code that pairs an owner's app with a device",
    details:
      'For the label of the device, or to be shown once to its owner. It works once, and\n' +
      'until another one is made. Whoever has it first has the device.',
    arguments: ['id'],
    options: {
      qr: { type: 'boolean', help: 'print the QR code also when the output is no terminal' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['device pair-code thermostat-1'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const made = await withStepUp(world, values.data, (client) => client.pairCode(id));
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine(made));
    const paint = paintFor(stdout);
    const text = printable(made.text);
    const code =
      values.qr === true || stdout.isTty
        ? `${renderUnicodeCompact(text, { border: 2 }).split('\n').map(paint.lightOnDark).join('\n')}\n\n`
        : '';
    stdout.write(
      `The app of its owner is paired with ${paint.strong(printable(id))} by this code, once:\n\n` +
        `  ${paint.strong(printable(made.code))}\n\n` +
        `or by scanning or pasting\n\n  ${text}\n\n${code}` +
        `${paint.faint('Lost it? Make another one; this one is void then.')}\n`,
    );
  },
);

/** Ends the rights of a device's owner, and erases what the device has sent. */
export const deviceReset: Command = defineCommand(
  {
    path: 'device reset',
    summary: "end the rights of a device's owner, and erase what it has sent",
    details:
      'The apps of its owner lose it at once. The key of all that it has sent is destroyed:\n' +
      'nobody can read it again, and the audit log still verifies. The device keeps its\n' +
      'certificate and goes on; a new owner is paired with: holdfast device pair-code <id>.\n' +
      'On a terminal it asks first; in a script it does not.',
    arguments: ['id'],
    options: {
      reason: { type: 'string', value: 'TEXT', help: 'why, for the audit log' },
      yes: { type: 'boolean', help: 'do not ask' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['device reset thermostat-1 --reason "sold" --yes'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    if (values.yes !== true) await confirm(world, id);
    const reason = values.reason ?? RESET_REASON_DEFAULT;
    const reset = await withStepUp(world, values.data, (client) => client.resetDevice(id, reason));
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine(reset));
    const owner = reset.hadOwner ? 'its owner has no rights any more' : 'it had no owner';
    stdout.write(`${printable(id)} is reset: ${owner}, and what it has sent is erased.\n`);
  },
);

async function confirm({ input, stdout }: World, id: string): Promise<void> {
  if (!input.isTty || !stdout.isTty) return;
  await typeToErase({ input }, { id, not: `${printable(id)} was not reset.` });
}
