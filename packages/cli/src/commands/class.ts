/** `class show` and `class set`: what a class asks of its devices. @module */
import { type ClassRules, type ClassView, RENEWAL_GRACE_MS_MAX } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { jsonLine } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { nearest } from '../suggest.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

const CLASSES = ['sensor', 'actuator', 'gateway', 'service'] as const;
const DAY_MS = 86_400_000;
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
      'A device that slept past the end of its certificate can renew it for the days of grace,\n' +
      'and is quarantined until somebody has looked; after them it needs a new claim.\n' +
      'On a terminal it asks first when devices have no key; in a script it does not.',
    arguments: ['class'],
    options: {
      'api-key': { type: 'string', value: 'RULE', help: 'required, or optional' },
      'on-clone': { type: 'string', value: 'RULE', help: 'quarantine, or report' },
      'renewal-grace-days': { type: 'string', value: 'DAYS', help: '0 to 365; 0 for no grace' },
      yes: { type: 'boolean', help: 'do not ask' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: [
      'class set sensor --api-key required',
      'class set gateway --on-clone report',
      'class set sensor --renewal-grace-days 30',
    ],
  },
  async (world, { values, positionals: [text = ''] }) => {
    const name = readClass(text);
    const rules = readRules(name, values);
    if (rules.requiresApiKey === true && values.yes !== true) {
      await withClient(world, values.data, (client) =>
        confirm(world, () => client.deviceClass(name)),
      );
    }
    const view = await withStepUp(world, values.data, (client) =>
      client.setDeviceClass(name, rules),
    );
    show(world, view, values.json === true);
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
  values: {
    readonly 'api-key'?: string | undefined;
    readonly 'on-clone'?: string | undefined;
    readonly 'renewal-grace-days'?: string | undefined;
  },
): ClassRules {
  const { 'api-key': apiKey, 'on-clone': onClone, 'renewal-grace-days': graceDays } = values;
  if (apiKey === undefined && onClone === undefined && graceDays === undefined) {
    throw usageFailure(
      'There is nothing to set.',
      `For example: holdfast class set ${name} --api-key required`,
    );
  }
  return {
    ...(apiKey !== undefined && { requiresApiKey: readApiKeyRule(name, apiKey) }),
    ...(onClone !== undefined && { onClone: readCloneRule(name, onClone) }),
    ...(graceDays !== undefined && { renewalGraceMs: readGrace(name, graceDays) }),
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

function readGrace(name: ClassName, text: string): number {
  const days = /^\d{1,3}$/u.test(text) ? Number(text) : Number.NaN;
  if (days * DAY_MS <= RENEWAL_GRACE_MS_MAX) return days * DAY_MS;
  throw usageFailure(
    `--renewal-grace-days is a number of days from 0 to ${RENEWAL_GRACE_MS_MAX / DAY_MS}, not "${text}".`,
    `For example: holdfast class set ${name} --renewal-grace-days 180`,
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
  const { name, requiresApiKey, onClone, renewalGraceMs, deviceCount, withoutApiKeyCount } = view;
  const facts = [
    ['API key', requiresApiKey ? 'required' : 'optional'],
    ['sign of a clone', onClone],
    ['grace of an ended certificate', `${Math.floor(renewalGraceMs / DAY_MS)} days`],
    ['devices', String(deviceCount)],
    ['without an API key', String(withoutApiKeyCount)],
  ];
  stdout.write(`${paintFor(stdout).strong(name)}\n${table(facts, 2)}`);
}
