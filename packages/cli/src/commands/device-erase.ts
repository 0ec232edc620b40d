/** `device erase`: what a device has sent, for good and everywhere. @module */
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { typeToErase } from '../type-to-confirm.ts';
import type { World } from '../world.ts';
import { required } from './backup.ts';

/** Erases what a device has sent. */
export const deviceErase: Command = defineCommand(
  {
    path: 'device erase',
    summary: 'erase all that a device has sent, in backups too',
    details:
      'The keys of its readings are destroyed: nobody can read them again, here or in a\n' +
      'backup made before, and the audit log still verifies. Nothing brings them back. The\n' +
      'device itself stays, with its certificate and its owner, and goes on.\n' +
      'On a terminal it asks first; in a script it needs --yes.',
    arguments: ['id'],
    options: {
      reason: { type: 'string', value: 'TEXT', help: 'why, for the audit log' },
      yes: { type: 'boolean', help: 'do not ask' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['device erase thermostat-1 --reason "asked for by its owner, ticket 4711"'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const example = 'device erase thermostat-1 --reason "asked for by its owner"';
    const reason = required(values.reason, 'reason', example);
    if (values.yes !== true) await confirm(world, id);
    const erased = await withStepUp(world, values.data, (client) => client.eraseDevice(id, reason));
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine(erased));
    const paint = paintFor(stdout);
    const { pending, isScrubbed } = erased;
    stdout.write(`What ${printable(id)} has sent is erased.\n`);
    if (pending.length > 0) {
      stdout.write(
        `${paint.bad('These backups do not know of it yet; they are tried again until they do:')}\n` +
          pending.map((name) => `  ${printable(name)}\n`).join(''),
      );
    }
    if (!isScrubbed) {
      stdout.write('Its key is overwritten on the disk as soon as a backup under way lets go.\n');
    }
  },
);

async function confirm({ input, stdout }: World, id: string): Promise<void> {
  const what = `What ${printable(id)} has sent was not erased.`;
  if (!input.isTty || !stdout.isTty) {
    const why = 'Nothing brings it back.';
    throw new Failure('E_CLI_NOT_CONFIRMED', { what, why, fix: 'Run it again with --yes.' });
  }
  await typeToErase({ input }, { id, not: what });
}
