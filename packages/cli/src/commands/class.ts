/** `class show` and `class set`: what a class asks of its devices. @module */
import {
  type ClassRules,
  type ClassView,
  LATE_HOURS,
  RENEWAL_GRACE_MS_MAX,
  RETENTION_BYTES,
  RETENTION_DAYS,
} from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, integerOption, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { jsonLine } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { nearest } from '../suggest.ts';
import { table } from '../table.ts';
import { typeToConfirm } from '../type-to-confirm.ts';
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
      'What is kept no longer by --retain-… is removed for good, within the hour: the\n' +
      'log still verifies, and an act "log.expire" says so.\n' +
      'A device that slept past the end of its certificate can renew it for the days of grace,\n' +
      'and is quarantined until somebody has looked; after them it needs a new claim.\n' +
      'On a terminal it asks first when devices have no key; in a script it does not.',
    arguments: ['class'],
    options: {
      'api-key': { type: 'string', value: 'RULE', help: 'required, or optional' },
      'on-clone': { type: 'string', value: 'RULE', help: 'quarantine, or report' },
      'retain-days': { type: 'string', value: 'N', help: 'keep messages N days, or "all"' },
      'retain-bytes': {
        type: 'string',
        value: 'N',
        help: 'keep N bytes of messages of each device, or "all"',
      },
      'retain-rollups': {
        type: 'string',
        value: 'N',
        help: 'keep what was rolled up N days, or "as-messages"',
      },
      'late-hours': {
        type: 'string',
        value: 'N',
        help: 'take messages that a device kept for up to N hours; 0: none',
      },
      'renewal-grace-days': { type: 'string', value: 'DAYS', help: '0 to 365; 0 for no grace' },
      yes: { type: 'boolean', help: 'do not ask' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: [
      'class set sensor --api-key required',
      'class set sensor --retain-days 90',
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

interface GivenRules {
  readonly 'api-key'?: string | undefined;
  readonly 'on-clone'?: string | undefined;
  readonly 'retain-days'?: string | undefined;
  readonly 'retain-bytes'?: string | undefined;
  readonly 'retain-rollups'?: string | undefined;
  readonly 'late-hours'?: string | undefined;
  readonly 'renewal-grace-days'?: string | undefined;
}

function readRules(name: ClassName, values: GivenRules): ClassRules {
  const { 'api-key': apiKey, 'on-clone': onClone, 'late-hours': late } = values;
  const { 'renewal-grace-days': graceDays } = values;
  const retention = readRetention(values);
  if ([apiKey, onClone, retention, late, graceDays].every((value) => value === undefined)) {
    throw usageFailure(
      'There is nothing to set.',
      `For example: holdfast class set ${name} --api-key required`,
    );
  }
  return {
    ...(apiKey !== undefined && { requiresApiKey: readApiKeyRule(name, apiKey) }),
    ...(onClone !== undefined && { onClone: readCloneRule(name, onClone) }),
    ...(retention !== undefined && { retention }),
    ...(late !== undefined && {
      lateHours: integerOption(late, { name: 'late-hours', ...LATE_HOURS }),
    }),
    ...(graceDays !== undefined && { renewalGraceMs: readGrace(name, graceDays) }),
  };
}

function readRetention(values: GivenRules): ClassRules['retention'] {
  const bound = (
    option: 'retain-days' | 'retain-bytes' | 'retain-rollups',
    none: string,
    range: { readonly min: number; readonly max: number },
  ): number | null | undefined => {
    const text = values[option];
    if (text === undefined) return undefined;
    return text === none ? null : integerOption(text, { name: option, ...range });
  };
  const ageDays = bound('retain-days', 'all', RETENTION_DAYS);
  const bytesPerDeviceMax = bound('retain-bytes', 'all', RETENTION_BYTES);
  const rollupDays = bound('retain-rollups', 'as-messages', RETENTION_DAYS);
  const given = {
    ...(ageDays !== undefined && { ageDays }),
    ...(bytesPerDeviceMax !== undefined && { bytesPerDeviceMax }),
    ...(rollupDays !== undefined && { rollupDays }),
  };
  return Object.keys(given).length === 0 ? undefined : given;
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
  const question =
    `${withoutApiKeyCount} of ${deviceCount} devices of the class ${name} have no API key, and ` +
    `cannot connect any more. Type the class to go on: `;
  const fix = `Make keys first (holdfast device api-key create <id>), or type ${name} when asked.`;
  await typeToConfirm({ input }, { question, word: name, fix });
}

function show({ stdout }: World, view: ClassView, isJson: boolean): void {
  if (isJson) return stdout.write(jsonLine(view));
  const { name, requiresApiKey, onClone, retention, lateHours, renewalGraceMs } = view;
  const { deviceCount, withoutApiKeyCount } = view;
  const facts = [
    ['API key', requiresApiKey ? 'required' : 'optional'],
    ['sign of a clone', onClone],
    ['grace of an ended certificate', `${Math.floor(renewalGraceMs / DAY_MS)} days`],
    ['late messages', lateHours === 0 ? 'refused' : `up to ${lateHours} hours old`],
    ['messages are kept', keptText(view)],
    ...(retention?.rollupDays === undefined
      ? []
      : [['rolled up values', `${retention.rollupDays} days`]]),
    ['devices', String(deviceCount)],
    ['without an API key', String(withoutApiKeyCount)],
  ];
  stdout.write(`${paintFor(stdout).strong(name)}\n${table(facts, 2)}`);
}

function keptText({ retention }: ClassView): string {
  const { ageDays, bytesPerDeviceMax } = retention ?? {};
  const bounds = [
    ...(ageDays === undefined ? [] : [`${ageDays} days`]),
    ...(bytesPerDeviceMax === undefined ? [] : [`${bytesPerDeviceMax} bytes of each device`]),
  ];
  return bounds.length === 0 ? 'for ever' : bounds.join(', and at most ');
}
