/** The life cycle: `device quarantine`, `release`, `suspend`, `resume`, `revoke`, `retire`. @module */
import type { ChangedDevices, DeviceAct, DeviceView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { CHANGE_OPTIONS, confirmMany, countText, readSelection } from '../device-selection.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { typeToConfirm } from '../type-to-confirm.ts';
import type { World } from '../world.ts';

/** What is said of an act. */
interface ActText {
  readonly summary: string;
  readonly details: string;
  /** Why somebody does it. */
  readonly example: string;
  /** As in "This revokes 12 devices". */
  readonly deed: string;
  /** As in "12 devices are revoked". */
  readonly participle: string;
  /** What became of one device. */
  readonly done: (device: DeviceView) => string;
  /** What to type the id for; without it, nobody is asked for one device. */
  readonly warning?: (id: string, state: string) => string;
}

const ACT_TEXTS: Readonly<Record<DeviceAct, ActText>> = {
  quarantine: {
    summary: 'keep a device out until somebody has looked at it',
    details:
      'For a device that something is wrong with. Its connections close at once, and\n' +
      'it stays out until it is released: holdfast device release <id>.',
    example: 'strange readings',
    deed: 'quarantines',
    participle: 'quarantined',
    done: ({ id }) =>
      `${id} is quarantined: it is disconnected, and stays out until it is released.`,
  },
  release: {
    summary: 'let a device out of quarantine, once you have looked at it',
    details:
      'It goes back to the state that it had before: a device that was suspended is\n' +
      'suspended again. The server asks for your second factor.',
    example: 'a loose wire, mended',
    deed: 'releases',
    participle: 'released',
    done: ({ id, state }) => `${id} is released: it is ${state} again.`,
  },
  suspend: {
    summary: 'keep a device out for a while',
    details:
      'For a device that nothing is wrong with. Its connections close at once, and it\n' +
      'stays out until it is resumed: holdfast device resume <id>.',
    example: 'in the workshop',
    deed: 'suspends',
    participle: 'suspended',
    done: ({ id }) => `${id} is suspended: it is disconnected, and stays out until it is resumed.`,
  },
  resume: {
    summary: 'end the suspension of a device',
    details: 'It goes back to the state that it had before.',
    example: 'back from the workshop',
    deed: 'resumes',
    participle: 'resumed',
    done: ({ id, state }) => `${id} is resumed: it is ${state} again.`,
  },
  revoke: {
    summary: 'end the access of a device at once',
    details:
      'Its connection is closed, and its certificates never work again. To let the\n' +
      'device come back: holdfast device claim <id>, then enroll it again.\n' +
      'On a terminal it asks first; in a script it does not, but for many.',
    example: 'a leak',
    deed: 'revokes',
    participle: 'revoked',
    done: ({ id }) => `${id} is revoked: it is disconnected, and its certificates no longer work.`,
    warning: (id, state) =>
      `This disconnects ${id} (now ${state}) at once and ends its certificates.`,
  },
  retire: {
    summary: 'end the access of a device for good',
    details:
      'For a device that does not come back: as revoke, and its id is never given to\n' +
      'another one. The server asks for your second factor.\n' +
      'On a terminal it asks first; in a script it does not, but for many.',
    example: 'broken for good',
    deed: 'retires',
    participle: 'retired',
    done: ({ id }) => `${id} is retired: its access has ended, and its id is never given again.`,
    warning: (id, state) =>
      `This ends the access of ${id} (now ${state}) for good: it never comes back.`,
  },
};

/** The commands of the life cycle, in the order of their table. */
export const [
  deviceQuarantine,
  deviceRelease,
  deviceSuspend,
  deviceResume,
  deviceRevoke,
  deviceRetire,
]: readonly [Command, Command, Command, Command, Command, Command] = [
  actCommand('quarantine'),
  actCommand('release'),
  actCommand('suspend'),
  actCommand('resume'),
  actCommand('revoke'),
  actCommand('retire'),
];

function actCommand(act: DeviceAct): Command {
  const text = ACT_TEXTS[act];
  const path = `device ${act}`;
  return defineCommand(
    {
      path,
      summary: text.summary,
      details: text.details,
      arguments: ['id?'],
      options: {
        ...CHANGE_OPTIONS,
      },
      examples: [`${path} thermostat-1 --reason "${text.example}"`, `${path} --group north --yes`],
    },
    async (world, { values, positionals: [id] }) => {
      const { data, json, yes = false } = values;
      const reason = values.reason ?? `${text.participle} on the command line`;
      const select = readSelection(path, id, values);
      const deed = (devices: string): string => `${text.deed} ${devices}`;
      await withClient(world, data, async (client) => {
        if (!('id' in select)) return confirmMany(world, client, { deed, select, yes });
        if (yes || text.warning === undefined) return;
        const stateOf = async () => (await client.device(select.id)).device.state;
        await confirmOne(world, select.id, { stateOf, ...text, warning: text.warning });
      });
      if ('id' in select) {
        const changed = await withStepUp(world, data, (client) =>
          client.actOnDevice(select.id, act, reason),
        );
        const line = `${printable(text.done(changed.device))}\n`;
        return world.stdout.write(json === true ? jsonLine(changed) : line);
      }
      const changed = await withStepUp(world, data, (client) =>
        client.actOnDevices({ act, select, reason }),
      );
      showMany(world, changed, { participle: text.participle, json: json === true });
    },
  );
}

/** Prints what became of many devices. */
export function showMany(
  { stdout }: World,
  outcome: ChangedDevices,
  { participle, json }: { participle: string; json: boolean },
): void {
  if (json) return stdout.write(jsonLine(outcome));
  const { changed, passedOver, passedOverList } = outcome;
  stdout.write(`${countText(changed)} ${changed === 1 ? 'is' : 'are'} ${participle}.\n`);
  if (passedOver === 0) return;
  const list = passedOverList.map(({ why }) => `  ${printable(why)}\n`);
  const more = passedOver - passedOverList.length;
  if (more > 0) list.push(`  and ${more} more\n`);
  stdout.write(`${countText(passedOver)} stayed as before:\n${list.join('')}`);
}

async function confirmOne(
  { input, stdout }: World,
  id: string,
  {
    stateOf,
    warning,
    participle,
  }: {
    stateOf: () => Promise<string>;
    warning: (id: string, state: string) => string;
    participle: string;
  },
): Promise<void> {
  if (!input.isTty || !stdout.isTty) return;
  const question = `${warning(id, await stateOf())} Type its id to go on: `;
  await typeToConfirm({ input }, { question, word: id, not: `${id} was not ${participle}.` });
}
