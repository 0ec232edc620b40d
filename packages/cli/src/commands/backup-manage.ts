/** `backup prune`, `backup schedule`, `backup forget`. @module */
import { BACKUPS_KEPT, BACKUP_EVERY_HOURS } from '@holdfast/protocol/api';
import { byteText } from '../byte-text.ts';
import { DATA_OPTION, JSON_OPTION, defineCommand, integerOption } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { placeOption } from '../place-option.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { required, statusText } from './backup.ts';

/** Removes old backups. */
export const backupPrune: Command = defineCommand(
  {
    path: 'backup prune',
    summary: 'remove all backups of a place but the newest',
    details: 'What only the removed ones need is removed, too; nothing else is.',
    options: {
      from: { type: 'string', value: 'PLACE', help: 'where they were made to' },
      keep: { type: 'string', value: 'N', help: 'how many of the newest stay' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['backup prune --from folder:/mnt/backup/holdfast --keep 30'],
  },
  async (world, { values }) => {
    const example = 'backup prune --from folder:/mnt/backup/holdfast --keep 30';
    const from = placeOption(values.from, { name: '--from', example });
    const keep = integerOption(required(values.keep, 'keep', example), {
      name: 'keep',
      ...BACKUPS_KEPT,
    });
    const pruned = await withStepUp(world, values.data, (client) =>
      client.pruneBackups({ from, keep }),
    );
    if (values.json === true) return world.stdout.write(jsonLine(pruned));
    const { backups, bytes } = pruned;
    world.stdout.write(
      `${backups} backup${backups === 1 ? ' was' : 's were'} removed: ${byteText(bytes)}.\n`,
    );
  },
);

/** Lets backups be made by themselves. */
export const backupSchedule: Command = defineCommand(
  {
    path: 'backup schedule',
    summary: 'let the server make backups by itself, or not any more',
    details:
      'One that fails is tried again, and seen in holdfast backup status, in the metric\n' +
      'holdfast_backups_total and on the audit log.',
    options: {
      to: { type: 'string', value: 'PLACE', help: 'folder:/path or s3://bucket/prefix' },
      every: { type: 'string', value: 'SPAN', help: 'how often: 24h, 7d' },
      off: { type: 'boolean', help: 'make none by itself any more' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: [
      'backup schedule --to folder:/mnt/backup/holdfast --every 24h',
      'backup schedule --off',
    ],
  },
  async (world, { values }) => {
    const schedule = scheduleOf(values);
    const status = await withStepUp(world, values.data, (client) =>
      client.scheduleBackups(schedule),
    );
    world.stdout.write(values.json === true ? jsonLine(status) : statusText(status, world));
  },
);

/** Forgets a destination that is gone. */
export const backupForget: Command = defineCommand(
  {
    path: 'backup forget',
    summary: 'forget a place of backups that is gone for good',
    details:
      'Erasures do not reach it any more, and do not wait for it. If its backups still exist\n' +
      'somewhere, what was erased since can be read in them by whoever has the unseal key.',
    arguments: ['place'],
    options: {
      reason: { type: 'string', value: 'TEXT', help: 'why, for the audit log' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['backup forget folder:/mnt/old --reason "the disk was shredded"'],
  },
  async (world, { values, positionals }) => {
    const example = 'backup forget folder:/mnt/old --reason "the disk was shredded"';
    const name = placeOption(positionals[0], { name: 'PLACE', example });
    const reason = required(values.reason, 'reason', example);
    const status = await withStepUp(world, values.data, (client) =>
      client.forgetDestination({ name, reason }),
    );
    if (values.json === true) return world.stdout.write(jsonLine(status));
    world.stdout.write(`${printable(name)} is forgotten.\n`);
  },
);

const HOURS = { h: 1, d: 24 } as const;

function scheduleOf(values: {
  readonly to?: string | undefined;
  readonly every?: string | undefined;
  readonly off?: boolean | undefined;
}): { to: string; everyHours: number } | undefined {
  const example = 'backup schedule --to folder:/mnt/backup/holdfast --every 24h';
  if (values.off === true) {
    if (values.to === undefined && values.every === undefined) return undefined;
    throw usageFailure('--off goes without --to and --every.', 'Give one or the other.');
  }
  const to = placeOption(values.to, { name: '--to', example });
  const match = /^(?<count>\d{1,4})(?<unit>[hd])$/u.exec(required(values.every, 'every', example));
  const unit = match?.groups?.['unit'] === 'd' ? HOURS.d : HOURS.h;
  const everyHours = match === null ? 0 : Number(match.groups?.['count']) * unit;
  const { min, max } = BACKUP_EVERY_HOURS;
  if (everyHours >= min && everyHours <= max) return { to, everyHours };
  throw usageFailure(
    `--every takes hours or days, such as 24h or 7d, from ${min}h to ${max / HOURS.d}d.`,
    `For example: holdfast ${example}`,
  );
}
