/** Which devices a command is about: one by its id, or all of a group or a class. @module */
import type { Client } from '@holdfast/client';
import { DEVICE_CLASS_LIST, type DeviceView } from '@holdfast/protocol/api';
import { DATA_OPTION, JSON_OPTION, type OptionSpec } from './command.ts';
import { Failure, usageFailure } from './failure.ts';
import { printable } from './printable.ts';
import { nearest } from './suggest.ts';
import { typeToConfirm } from './type-to-confirm.ts';
import type { World } from './world.ts';

/** The devices that are meant. */
export type Selection =
  | { readonly id: string }
  | { readonly group: string }
  | { readonly class: DeviceView['class'] };

/** The options that select many devices. */
const SELECTION_OPTIONS = {
  group: { type: 'string', value: 'GROUP', help: 'all devices of a group, instead of one' },
  class: { type: 'string', value: 'CLASS', help: 'all devices of a class, instead of one' },
} as const satisfies Record<string, OptionSpec>;

/** What a command takes that changes one device or many. */
export const CHANGE_OPTIONS = {
  ...SELECTION_OPTIONS,
  reason: { type: 'string', value: 'TEXT', help: 'why, for the audit log' },
  yes: { type: 'boolean', help: 'do not ask' },
  json: JSON_OPTION,
  data: DATA_OPTION,
} as const satisfies Record<string, OptionSpec>;

/** Reads which devices are meant. @throws Failure when it is none of the three, or several. */
export function readSelection(
  path: string,
  id: string | undefined,
  values: { readonly group?: string | undefined; readonly class?: string | undefined },
): Selection {
  const given = [id, values.group, values.class].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw usageFailure(
      `holdfast ${path} takes the id of a device, or --group, or --class: one of them.`,
      `For example: holdfast ${path} thermostat-1`,
    );
  }
  if (id !== undefined) return { id };
  if (values.group !== undefined) return { group: values.group };
  return { class: readDeviceClass(values.class ?? '') };
}

/** Reads the name of a class. @throws Failure when there is none of that name. */
export function readDeviceClass(text: string): DeviceView['class'] {
  const found = DEVICE_CLASS_LIST.find((name) => name === text);
  if (found !== undefined) return found;
  const meant = nearest(text, DEVICE_CLASS_LIST);
  throw usageFailure(
    `There is no class "${text}".`,
    meant === undefined ? `One of ${DEVICE_CLASS_LIST.join(', ')}.` : `Did you mean ${meant}?`,
  );
}

/**
 * Shows how many devices are meant, and goes on when somebody at the terminal types that number.
 * @param deed - what is done to `12 devices of the group north`, as in "revokes …".
 * @throws Failure `E_CLI_NOT_CONFIRMED`, also in a script that does not say `--yes`.
 */
export async function confirmMany(
  { input, stdout, stderr }: World,
  client: Pick<Client, 'devices'>,
  {
    deed,
    select,
    yes,
  }: {
    deed: (devices: string) => string;
    select: Exclude<Selection, { id: string }>;
    yes: boolean;
  },
): Promise<void> {
  const devices = await client.devices(select);
  const [[kind, name] = []] = Object.entries(select);
  const what = deed(`${countText(devices.length)} of the ${kind} ${printable(name ?? '')}`);
  stderr.write(`This ${what}${statesText(devices)}.\n`);
  if (yes || devices.length === 0) return;
  const why = 'Many devices are changed only when you say that you mean so many.';
  if (!input.isTty || !stdout.isTty) {
    const fix = 'Run it again with --yes.';
    throw new Failure('E_CLI_NOT_CONFIRMED', { what: 'Nothing was done.', why, fix });
  }
  const word = String(devices.length);
  const not = 'Nothing was done.';
  await typeToConfirm({ input }, { question: `Type ${word} to go on: `, word, not });
}

/** `1 device`, `12 devices`. */
export function countText(count: number): string {
  return `${count} device${count === 1 ? '' : 's'}`;
}

function statesText(devices: readonly DeviceView[]): string {
  const counts = new Map<string, number>();
  for (const { state } of devices) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].map(([state, count]) => `${count} ${state}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
