/** `server rotate-key`: the server shows its next key. @module */
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { certificatePinText, spkiPinText } from '../pin-text.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { typeToConfirm } from '../type-to-confirm.ts';
import type { World } from '../world.ts';

const QUESTION =
  'The server shows its next key from now on, and makes the one after that. Devices that keep the\n' +
  'backup pin connect as before; those that pin the present key or certificate alone are locked\n' +
  'out until somebody changes their pin. There is no way back to the present key.\n' +
  'Type rotate to go on: ';

/** Lets the server show its next key. */
export const serverRotateKey: Command = defineCommand(
  {
    path: 'server rotate-key',
    summary: 'let the server show its next key, the one of the backup pin',
    details:
      'For a planned change, or at once when the present key may have leaked. Devices of\n' +
      'the SDK fetch the next backup pin by themselves, over the connection that they\n' +
      'trust. The old certificate counts until its end for whoever pins it still.',
    options: {
      yes: { type: 'boolean', help: 'do not ask' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['server rotate-key', 'server rotate-key --yes'],
  },
  async (world, { values: { yes, json, data } }) => {
    if (yes !== true) await confirm(world);
    const pins = await withStepUp(world, data, (client) => client.rotateServerKey());
    const { stdout } = world;
    if (json === true) return stdout.write(jsonLine(pins));
    const lines = [
      spkiPinText(pins),
      certificatePinText(pins),
      spkiPinText({ spki: pins.backupSpki }),
    ];
    stdout.write(`The server has a new key. Its pins, and the backup pin, from now on:\n`);
    for (const line of lines) stdout.write(`  ${printable(line)}\n`);
  },
);

async function confirm({ input, stdout }: World): Promise<void> {
  if (!input.isTty || !stdout.isTty) {
    throw usageFailure('Nobody is there to be asked.', 'A script gives --yes.');
  }
  await typeToConfirm({ input }, { question: QUESTION, word: 'rotate' });
}
