/** `policy test`, `diff` and `explain`. @module */
import type { DecisionChangeView, Explanation } from '@holdfast/protocol/api';
import { POLICY_EXPECTATIONS_MAX } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { type Expectation, parseExpectations } from '../expectations.ts';
import { Failure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { table } from '../table.ts';
import { readText } from '../text-source.ts';
import type { World } from '../world.ts';
import { printWarnings } from './policy.ts';

/** Compares expected decisions with those of a policy. */
export const policyTest: Command = defineCommand(
  {
    path: 'policy test',
    summary: 'check that a policy decides as a file expects',
    details:
      'Each line of the file: permit or refuse, who, the action, and on what. Who and what\n' +
      'are person:ada, role:viewer, device:pump-1, class:sensor, server, self,\n' +
      'topic:pump-1/cmd, or device:new[class=gateway,group=north,state=active] for a\n' +
      'device as it would be. At the end may stand "with step-up" and "with second-person".\n' +
      'What follows a # is a comment. Exit code 1 when a decision is another one.',
    arguments: ['file'],
    options: {
      policy: { type: 'string', value: 'FILE', help: 'a policy that is not in force' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['policy test expected.txt', 'policy test expected.txt --policy my.cedar'],
  },
  async (world, { values: { policy, json, data }, positionals: [file = ''] }) => {
    const expectations = parseExpectations(readText(file), file);
    const text = policy === undefined ? {} : { text: readText(policy) };
    const { outcomes } = await withClient(world, data, async (client) => {
      const answers = [];
      // As many at a time as the server takes.
      for (let at = 0; at < expectations.length; at += POLICY_EXPECTATIONS_MAX) {
        const some = expectations.slice(at, at + POLICY_EXPECTATIONS_MAX);
        const asked = some.map(({ line: _line, ...expectation }) => expectation);
        answers.push(...(await client.testPolicy({ ...text, expectations: asked })).outcomes);
      }
      return { outcomes: answers };
    });
    const { stdout } = world;
    if (json === true) stdout.write(jsonLine({ outcomes }));
    const wrong = outcomes.flatMap(({ isExpected, rules }, at) => {
      const expectation = expectations[at];
      return isExpected || expectation === undefined ? [] : [{ expectation, rules }];
    });
    if (wrong.length === 0) {
      if (json !== true) stdout.write(`All ${outcomes.length} decisions are as expected.\n`);
      return;
    }
    const told = wrong.map(({ expectation, rules }) => wrongLine(expectation, rules));
    throw new Failure('E_CLI_EXPECTATION', {
      what: `${wrong.length} of ${outcomes.length} decisions are not as expected.`,
      why: told.join(' '),
      fix: 'See why with holdfast policy explain; correct the policy or the file.',
    });
  },
);

/** Tries a policy on the last decisions. */
export const policyDiff: Command = defineCommand(
  {
    path: 'policy diff',
    summary: 'try a policy on the last decisions, and list what would change',
    details:
      'The server remembers the last 2,000 decisions of each outcome that differ, since its\n' +
      'start. Nothing is put in force.',
    arguments: ['file'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['policy diff my.cedar'],
  },
  async (world, { values: { json, data }, positionals: [file = ''] }) => {
    const text = readText(file);
    const diff = await withClient(world, data, (client) => client.diffPolicy(text));
    const { stdout } = world;
    printWarnings(world, diff);
    if (json === true) return stdout.write(jsonLine(diff));
    const { tried, changes } = diff;
    if (changes.length > 0) stdout.write(table(changes.map((change) => changeRow(change, world))));
    stdout.write(`${changes.length} of the last ${tried} different decisions would change.\n`);
  },
);

/** Tells what the policy decides, and why. */
export const policyExplain: Command = defineCommand(
  {
    path: 'policy explain',
    summary: 'tell whether somebody may do something, and which rules say so',
    details: 'Who and what are written as for holdfast policy test.',
    arguments: ['principal', 'action', 'resource'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: [
      'policy explain person:ada device:revoke device:pump-1',
      'policy explain device:pump-1 publish topic:pump-1/telemetry',
    ],
  },
  async (world, { values: { json, data }, positionals }) => {
    const [principal = '', action = '', resource = ''] = positionals;
    const question = { principal, action, resource };
    const answer = await withClient(world, data, (client) => client.explainPolicy(question));
    const { stdout } = world;
    stdout.write(json === true ? jsonLine(answer) : explanationText(answer, world));
  },
);

function explanationText({ decision, rules, missing }: Explanation, { stdout }: World): string {
  const paint = paintFor(stdout);
  const word = decision === 'permit' ? paint.good('permit') : paint.bad('refuse');
  const told = rules.map(({ name, line, text }) => {
    const indented = text.split('\n').map((each) => `    ${printable(each)}`);
    return `  line ${line}  ${paint.strong(printable(name))}\n${indented.join('\n')}\n`;
  });
  const none = decision === 'refuse' && rules.length === 0 ? '  No rule permits it.\n' : '';
  const more =
    missing === undefined
      ? ''
      : `  It is permitted with ${missing === 'step-up' ? 'the second factor shown again' : 'a second person'}.\n`;
  return `${word}\n${told.join('')}${none}${more}`;
}

function changeRow(change: DecisionChangeView, { stdout }: World): string[] {
  const { principal, action, resource, becomes, rulesBefore, rulesAfter, count } = change;
  const paint = paintFor(stdout);
  const rules = becomes === 'permit' ? rulesAfter : [...rulesAfter, ...rulesBefore];
  return [
    becomes === 'permit' ? paint.good('permit') : paint.bad('refuse'),
    printable(principal),
    printable(action),
    printable(resource),
    `${count}×`,
    paint.faint(printable(rules.join(', '))),
  ];
}

function wrongLine({ line, decision }: Expectation, rules: readonly string[]): string {
  const found = decision === 'permit' ? 'is refused' : 'is permitted';
  const by = rules.length === 0 ? '' : ` by ${rules.map((rule) => `"${rule}"`).join(', ')}`;
  return `Line ${line} ${found}${by}.`;
}
