/** `device set-tags`. @module */
import { withClient } from '../access.ts';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { CHANGE_OPTIONS, type Selection, confirmMany, readSelection } from '../device-selection.ts';
import { usageFailure } from '../failure.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import type { World } from '../world.ts';
import { showMany } from './device-acts.ts';

const PATH = 'device set-tags';

/** Gives devices the words by which people find them again. */
export const deviceSetTags: Command = defineCommand(
  {
    path: PATH,
    summary: 'give a device the tags by which you find it again',
    details:
      'Tags are short words, up to 16 a device, and nothing but the search hangs on them.\n' +
      '--to replaces all tags of one device; --add and --remove change some, of many\n' +
      'devices too, for which the server asks for your second factor.',
    arguments: ['id?'],
    options: {
      to: {
        type: 'string',
        value: 'TAGS',
        help: 'these and no others, as "roof cold"; "" for none',
      },
      add: { type: 'string', value: 'TAGS', help: 'these as well' },
      remove: { type: 'string', value: 'TAGS', help: 'these no more' },
      ...CHANGE_OPTIONS,
    },
    examples: [`${PATH} thermostat-1 --to "roof cold"`, `${PATH} --group north --add winter --yes`],
  },
  async (world, { values, positionals: [id] }) => {
    const wish = readWish(values);
    const reason = values.reason ?? 'tagged on the command line';
    const select = readSelection(PATH, id, values);
    const options = { ...values, reason };
    if ('id' in select) await tagOne(world, select.id, { wish, options });
    else await tagMany(world, select, { wish, options });
  },
);

interface TagOptions {
  readonly reason: string;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
}

async function tagOne(
  world: World,
  id: string,
  { wish, options }: { wish: TagWish; options: TagOptions },
): Promise<void> {
  const { data, reason, json = false } = options;
  const changed = await withClient(world, data, async (client) => {
    const { act, tags } = wish;
    const before = act === 'set-tags' ? [] : ((await client.device(id)).device.tags ?? []);
    const without = before.filter((tag) => !tags.includes(tag));
    const after = act === 'remove-tags' ? without : [...without, ...tags];
    return client.setDeviceTags(id, { tags: after, reason });
  });
  const { tags = [] } = changed.device;
  const text = tags.length === 0 ? 'no tags' : `the tags ${tags.join(' ')}`;
  world.stdout.write(json ? jsonLine(changed) : `${printable(`${id} has ${text}.`)}\n`);
}

async function tagMany(
  world: World,
  select: Exclude<Selection, { id: string }>,
  { wish: { act, tags }, options }: { wish: TagWish; options: TagOptions },
): Promise<void> {
  const { data, reason, yes = false, json = false } = options;
  if (act === 'set-tags') {
    throw usageFailure(
      '--to replaces all tags of one device.',
      `For many, for example: holdfast ${PATH} --group north --add winter`,
    );
  }
  const words = printable(tags.join(' '));
  const deed = (devices: string): string =>
    act === 'add-tags' ? `adds ${words} to ${devices}` : `takes ${words} off ${devices}`;
  await withClient(world, data, (client) => confirmMany(world, client, { deed, select, yes }));
  const changed = await withStepUp(world, data, (client) =>
    client.actOnDevices({ act, tags: [...tags], select, reason }),
  );
  showMany(world, changed, { participle: 'tagged anew', json });
}

interface TagWish {
  readonly act: 'set-tags' | 'add-tags' | 'remove-tags';
  readonly tags: readonly string[];
}

function readWish({
  to,
  add,
  remove,
}: {
  readonly to?: string | undefined;
  readonly add?: string | undefined;
  readonly remove?: string | undefined;
}): TagWish {
  const given = [to, add, remove].filter((value) => value !== undefined);
  const [text] = given;
  if (given.length !== 1 || text === undefined) {
    throw usageFailure(
      `holdfast ${PATH} takes --to, --add or --remove: one of them.`,
      `For example: holdfast ${PATH} pump-1 --to "roof cold"`,
    );
  }
  const tags = [...new Set(text.split(/[\s,]+/u).filter((tag) => tag !== ''))];
  if (to !== undefined) return { act: 'set-tags', tags };
  return { act: add !== undefined ? 'add-tags' : 'remove-tags', tags };
}
