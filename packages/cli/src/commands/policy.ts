/** `policy show`, `set`, `history` and `rollback`. @module */
import type { PolicyVersionView, SetPolicyView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, integerOption, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable, printableLines } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';
import { readText } from '../text-source.ts';
import type { World } from '../world.ts';

const REASON_OPTION = { type: 'string', value: 'TEXT', help: 'why, for the audit log' } as const;
const REASON_DEFAULT = 'set on the command line';
const NUMBER = { min: 1, max: 1_000_000_000 };

/** Prints the policy in force. */
export const policyShow: Command = defineCommand(
  {
    path: 'policy show',
    summary: 'print who may do what: the policy in force, in Cedar',
    details:
      'Roles, devices and apps all stand in it. With --schema it prints what a policy\n' +
      'can speak of.',
    options: {
      version: { type: 'string', value: 'N', help: 'an earlier version' },
      schema: { type: 'boolean', help: 'the schema instead of the policy' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['policy show > my.cedar', 'policy show --schema'],
  },
  async (world, { values: { version, schema, json, data } }) => {
    await withClient(world, data, async (client) => {
      const { stdout } = world;
      if (schema === true) return stdout.write(printableLines(await client.policySchema()));
      const number =
        version === undefined ? undefined : integerOption(version, { name: 'version', ...NUMBER });
      const policy = await client.policy(number);
      stdout.write(json === true ? jsonLine(policy) : printableLines(policy.text));
    });
  },
);

/** Puts a policy in force. */
export const policySet: Command = defineCommand(
  {
    path: 'policy set',
    summary: 'put a policy in force, for live connections too',
    details:
      'It is checked first: a mistake is shown with its line, and a policy under which\n' +
      'nobody could set the next one is refused, unless you run this on the server.\n' +
      'Try it before: holdfast policy diff FILE',
    arguments: ['file'],
    options: { reason: REASON_OPTION, json: JSON_OPTION, data: DATA_OPTION },
    examples: ['policy set my.cedar --reason "operators may not revoke"'],
  },
  async (world, { values: { reason = REASON_DEFAULT, json, data }, positionals: [file = ''] }) => {
    const text = readText(file);
    const set = await withStepUp(world, data, (client) => client.setPolicy({ text, reason }));
    printSet(world, set, json);
  },
);

/** Puts an earlier version in force. */
export const policyRollback: Command = defineCommand(
  {
    path: 'policy rollback',
    summary: 'put an earlier version of the policy in force again',
    details: 'Its text becomes the next version: nothing of the history is lost.',
    arguments: ['version'],
    options: { reason: REASON_OPTION, json: JSON_OPTION, data: DATA_OPTION },
    examples: ['policy rollback 3'],
  },
  async (world, { values: { reason, json, data }, positionals: [version = ''] }) => {
    const number = integerOption(version, { name: 'version', ...NUMBER });
    const why = reason ?? `back to version ${number}`;
    const set = await withStepUp(world, data, (client) => client.rollbackPolicy(number, why));
    printSet(world, set, json);
  },
);

/** Prints the versions. */
export const policyHistory: Command = defineCommand(
  {
    path: 'policy history',
    summary: 'list the versions of the policy, newest first',
    options: {
      limit: { type: 'string', value: 'N', help: 'how many, at most (default 20)' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['policy history'],
  },
  async (world, { values: { limit = '20', json, data } }) => {
    const page = { limit: integerOption(limit, { name: 'limit', min: 1, max: 1_000 }) };
    const versions = await withClient(world, data, (client) => client.policyVersions(page));
    const { stdout } = world;
    if (json === true) return versions.forEach((version) => stdout.write(jsonLine(version)));
    const { faint } = paintFor(stdout);
    const head = ['VERSION', 'SET', 'BY', 'SHA-256', 'WHY'].map(faint);
    stdout.write(table([head, ...versions.map((version) => row(version, world))]));
  },
);

function row({ number, at, author, sha256, reason }: PolicyVersionView, world: World): string[] {
  const short = sha256.slice(0, SHORT_HASH_CHARACTERS);
  return [
    `${number}`,
    localTime(at, world.timeZone),
    printable(author),
    printable(short),
    printable(reason),
  ];
}

function printSet(world: World, set: SetPolicyView, json: boolean | undefined): void {
  const { stdout } = world;
  const { version } = set;
  printWarnings(world, set);
  if (json === true) return stdout.write(jsonLine(version));
  stdout.write(
    `Version ${version.number} of the policy is in force (SHA-256 ${printable(version.sha256)}).\n` +
      `Back again: holdfast policy rollback ${version.number - 1}\n`,
  );
}

/** On stderr: they are for whoever looks, whatever reads the answer. */
export function printWarnings(
  { stderr }: World,
  { warnings = [] }: { readonly warnings?: readonly string[] | undefined },
): void {
  const { bad } = paintFor(stderr);
  for (const warning of warnings) stderr.write(`${bad('Warning:')} ${printable(warning)}\n`);
}

const SHORT_HASH_CHARACTERS = 12;
