/** `device revoke`. @module */
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure } from '../failure.ts';
import { jsonLine, printable } from '../printable.ts';
import type { World } from '../world.ts';

const REASON_DEFAULT = 'revoked on the command line';

/** Ends a device's access at once. */
export const deviceRevoke: Command = defineCommand(
  {
    path: 'device revoke',
    summary: 'end the access of a device at once',
    details:
      'Its connection is closed, and its certificates never work again. To let the\n' +
      'device come back: holdfast device claim <id>, then enroll it again.\n' +
      'On a terminal it asks first; in a script it does not.',
    arguments: ['id'],
    options: {
      reason: { type: 'string', value: 'TEXT', help: 'why, for the audit log' },
      yes: { type: 'boolean', help: 'do not ask' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['device revoke thermostat-1', 'device revoke thermostat-1 --reason "stolen" --yes'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    await withClient(world, values.data, async (client) => {
      if (values.yes !== true) {
        await confirm(world, id, async () => (await client.device(id)).device.state);
      }
      const revoked = await client.revokeDevice(id, values.reason ?? REASON_DEFAULT);
      const { stdout } = world;
      if (values.json === true) return stdout.write(jsonLine(revoked));
      stdout.write(
        `${printable(id)} is revoked: it is disconnected, and its certificates no longer work.\n`,
      );
    });
  },
);

async function confirm(
  { input, stdout }: World,
  id: string,
  stateOf: () => Promise<string>,
): Promise<void> {
  if (!input.isTty || !stdout.isTty) return;
  const state = await stateOf();
  const answer = await input.ask(
    `This disconnects ${id} (now ${state}) at once and ends its certificates. Type its id to go on: `,
  );
  if (answer.trim() === id) return;
  throw new Failure('E_CLI_NOT_CONFIRMED', {
    what: `${id} was not revoked.`,
    why: `You typed "${answer.trim()}".`,
    fix: `Type ${id} when asked, or give --yes.`,
  });
}
