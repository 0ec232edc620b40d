/** `class show` and `class set`: what a class asks of its devices. @module */
import type { ClassRules, ClassView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { jsonLine } from '../printable.ts';
import { nearest } from '../suggest.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

const CLASSES = ['sensor', 'actuator', 'gateway', 'service'] as const;
type ClassName = (typeof CLASSES)[number];

/** Shows a class. */
export const classShow: Command = defineCommand(
  {
    path: 'class show',
    summary: 'show what a class asks of its devices',
    arguments: ['class'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['class show sensor'],
  },
  async (world, { values, positionals: [text = ''] }) => {
    const name = readClass(text);
    const view = await withClient(world, values.data, (client) => client.deviceClass(name));
    show(world, view, values.json === true);
  },
);

/** Sets what a class asks. */
export const classSet: Command = defineCommand(
  {
    path: 'class set',
    summary: 'set what a class asks of its devices',
    details:
      'With --api-key required, devices of the class must show an API key beside their\n' +
      'certificate: connections that have not are closed within a second.\n' +
      'A clone shows itself when a certificate is renewed that was renewed before:\n' +
      'its device is quarantined until somebody has looked, or it is reported only.\n' +
      'On a terminal it asks first when devices have no key; in a script it does not.',
    arguments: ['class'],
    options: {
      'api-key': { type: 'string', value: 'RULE', help: 'required, or optional' },
      'on-clone': { type: 'string', value: 'RULE', help: 'quarantine, or report' },
      yes: { type: 'boolean', help: 'do not ask' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['class set sensor --api-key required', 'class set gateway --on-clone report'],
  },
  async (world, { values, positionals: [text = ''] }) => {
    const name = readClass(text);
    const rules = readRules(name, values);
    await withClient(world, values.data, async (client) => {
      if (rules.requiresApiKey === true && values.yes !== true) {
        await confirm(world, () => client.deviceClass(name));
      }
      const view = await client.setDeviceClass(name, rules);
      show(world, view, values.json === true);
    });
  },
);

function readClass(text: string): ClassName {
  const found = CLASSES.find((name) => name === text);
  if (found !== undefined) return found;
  const meant = nearest(text, CLASSES) ?? 'sensor';
  throw usageFailure(
    `There is no class "${text}".`,
    `Did you mean ${meant}? There are ${CLASSES.join(', ')}.`,
  );
}

function readRules(
  name: ClassName,
  values: { readonly 'api-key'?: string | undefined; readonly 'on-clone'?: string | undefined },
): ClassRules {
  const { 'api-key': apiKey, 'on-clone': onClone } = values;
  if (apiKey === undefined && onClone === undefined) {
    throw usageFailure(
      'There is nothing to set.',
      `For example: holdfast class set ${name} --api-key required`,
    );
  }
  return {
    ...(apiKey !== undefined && { requiresApiKey: readApiKeyRule(name, apiKey) }),
    ...(onClone !== undefined && { onClone: readCloneRule(name, onClone) }),
  };
}

function readApiKeyRule(name: ClassName, text: string): boolean {
  if (text === 'required' || text === 'optional') return text === 'required';
  throw usageFailure(
    `--api-key is required or optional, not "${text}".`,
    `For example: holdfast class set ${name} --api-key required`,
  );
}

function readCloneRule(name: ClassName, text: string): ClassView['onClone'] {
  if (text === 'quarantine' || text === 'report') return text;
  throw usageFailure(
    `--on-clone is quarantine or report, not "${text}".`,
    `For example: holdfast class set ${name} --on-clone report`,
  );
}

async function confirm({ input, stdout }: World, read: () => Promise<ClassView>): Promise<void> {
  if (!input.isTty || !stdout.isTty) return;
  const { name, deviceCount, withoutApiKeyCount } = await read();
  if (withoutApiKeyCount === 0) return;
  const answer = await input.ask(
    `${withoutApiKeyCount} of ${deviceCount} devices of the class ${name} have no API key, and ` +
      `cannot connect any more. Type the class to go on: `,
  );
  if (answer.trim() === name) return;
  throw new Failure('E_CLI_NOT_CONFIRMED', {
    what: 'Nothing was changed.',
    why: `You typed "${answer.trim()}".`,
    fix: `Make keys first (holdfast device api-key create <id>), or type ${name} when asked.`,
  });
}

function show({ stdout }: World, view: ClassView, isJson: boolean): void {
  if (isJson) return stdout.write(jsonLine(view));
  const { name, requiresApiKey, onClone, deviceCount, withoutApiKeyCount } = view;
  const facts = [
    ['API key', requiresApiKey ? 'required' : 'optional'],
    ['sign of a clone', onClone],
    ['devices', String(deviceCount)],
    ['without an API key', String(withoutApiKeyCount)],
  ];
  stdout.write(`${paintFor(stdout).strong(name)}\n${table(facts, 2)}`);
}
