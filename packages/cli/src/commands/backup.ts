/** `backup make`, `backup list`, `backup status`: sealed copies of a running server. @module */
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@holdfast/client';
import type { BackupRun, BackupStatus } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { leftOutText, missingText } from '../artifacts-text.ts';
import { byteText } from '../byte-text.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { placeOption } from '../place-option.ts';
import { jsonLine, printable } from '../printable.ts';
import { progressOn } from '../progress.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

/** How often it is asked how far a backup is. */
const POLL_MS = 300;

const TO_HELP = 'where to: folder:/path on the server, or s3://bucket/prefix';

/** Makes a backup of a running server. */
export const backupMake: Command = defineCommand(
  {
    path: 'backup make',
    summary: 'make a sealed backup of the running server',
    details:
      'Devices and people go on meanwhile. Only what has changed since the backup before is\n' +
      'written, and one that was stopped goes on where it was. A backup can be opened only\n' +
      'with the unseal key (or passphrase, token, KMS) of this server, which is NOT part of\n' +
      'it: keep a copy of that elsewhere, or the backup is worthless. The artifacts of updates\n' +
      'are in it; see holdfast backup artifacts.',
    options: {
      to: { type: 'string', value: 'PLACE', help: TO_HELP },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['backup make --to folder:/mnt/backup/holdfast', 'backup make --to s3://fleet/prod'],
  },
  async (world, { values }) => {
    const example = 'backup make --to folder:/mnt/backup/holdfast';
    const to = placeOption(values.to, { name: '--to', example });
    const begun = await withStepUp(world, values.data, (client) => client.makeBackup({ to }));
    const run = await withClient(world, values.data, (client) => watched(world, client, begun));
    if (run.state === 'failed') {
      throw new Failure('E_CLI_BACKUP', {
        what: `There is no backup in ${printable(to)}.`,
        why: printable(run.why ?? ''),
        fix: 'Make it again once that is mended: it goes on where it was.',
      });
    }
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine(run));
    const paint = paintFor(stdout);
    stdout.write(
      `Backup ${paint.strong(printable(run.backup ?? ''))} is in ${printable(to)}: ` +
        `${byteText(run.bytes)}, of which ${byteText(run.newBytes)} are new.\n` +
        leftOutText(run.artifacts?.leftOut) +
        missingText(run.artifacts, paint) +
        `${paint.faint('The unseal key is not part of it, and nothing opens it without:')}\n` +
        `${paint.faint('keep a copy of that elsewhere.')}\n` +
        `${paint.faint('Try it now and then:')} holdfast backup drill --from ${printable(to)}\n`,
    );
  },
);

/** Lists the backups of a destination. */
export const backupList: Command = defineCommand(
  {
    path: 'backup list',
    summary: 'list the backups of a place',
    options: {
      from: { type: 'string', value: 'PLACE', help: 'where they were made to' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['backup list --from folder:/mnt/backup/holdfast'],
  },
  async (world, { values }) => {
    const example = 'backup list --from folder:/mnt/backup/holdfast';
    const from = placeOption(values.from, { name: '--from', example });
    const list = await withClient(world, values.data, (client) => client.backups(from));
    const { stdout, timeZone } = world;
    if (values.json === true) return stdout.write(jsonLine(list));
    const { backups, damaged } = list;
    const rows = backups.map(({ id, at, bytes, custody }) => [
      localTime(at, timeZone),
      id,
      byteText(bytes),
      `key kept by: ${printable(custody)}`,
    ]);
    stdout.write(rows.length === 0 ? 'There are no backups yet.\n' : table(rows));
    const { bad } = paintFor(stdout);
    for (const object of damaged) {
      stdout.write(`${bad(`${printable(object)} is no backup as it was written.`)}\n`);
    }
  },
);

/** Shows how the backups are. */
export const backupStatus: Command = defineCommand(
  {
    path: 'backup status',
    summary: 'show where backups are, how old, and what waits',
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['backup status'],
  },
  async (world, { values }) => {
    const status = await withClient(world, values.data, (client) => client.backupStatus());
    world.stdout.write(values.json === true ? jsonLine(status) : statusText(status, world));
  },
);

/** What is said of the backups. */
export function statusText(status: BackupStatus, { stdout, timeZone }: World): string {
  const paint = paintFor(stdout);
  const { run, destinations, schedule, lastDrill, artifacts } = status;
  const lines: string[] = [];
  if (run?.state === 'running') lines.push(`A backup is being made: ${progressText(run)}.`);
  if (destinations.length === 0) lines.push(paint.bad('There is no backup yet.'));
  for (const { name, lastBackup, failure, hasKeys } of destinations) {
    const made =
      lastBackup === undefined
        ? paint.bad('no backup was finished yet')
        : `last backup ${localTime(lastBackup.at, timeZone)}, ${byteText(lastBackup.bytes)}`;
    lines.push(`${paint.strong(printable(name))}: ${made}`);
    const missing = missingText(lastBackup?.artifacts, paint);
    if (missing !== '') lines.push(`  ${missing.trimEnd()}`);
    if (!hasKeys)
      lines.push(`  ${paint.bad('An erasure has not reached it yet; it is tried again.')}`);
    if (failure !== undefined) {
      lines.push(
        `  ${paint.bad(`${localTime(failure.at, timeZone)}: ${printable(failure.what)}`)}`,
      );
    }
  }
  if (artifacts?.isLeftOut === true) lines.push(leftOutText(artifacts.place).trimEnd());
  lines.push(
    schedule === undefined
      ? 'No backups are made by themselves: holdfast backup schedule'
      : `A backup is made every ${schedule.everyHours} h to ${printable(schedule.to)}.`,
    lastDrill === undefined
      ? 'No restore was tried yet: holdfast backup drill'
      : `The last restore was tried ${localTime(lastDrill.at, timeZone)}, ` +
          (lastDrill.isGood ? 'and all was as it was written.' : paint.bad('and it FAILED.')),
  );
  return `${lines.join('\n')}\n`;
}

async function watched(world: World, client: Client, begun: BackupRun): Promise<BackupRun> {
  const progress = progressOn(world.stderr);
  let run = begun;
  try {
    while (run.state === 'running') {
      progress.bar(run.bytes, run.totalBytes, progressText(run));
      await wait(POLL_MS);
      const { run: now } = await client.backupStatus();
      if (now === undefined || now.startedAt !== begun.startedAt) {
        throw new Failure('E_CLI_BACKUP', {
          what: 'The server was started again, and the backup ended.',
          why: 'A backup is made by the process that began it.',
          fix: 'Make it again: it goes on where it was.',
        });
      }
      run = now;
    }
  } finally {
    progress.clear();
  }
  return run;
}

function progressText({ bytes, newBytes, totalBytes }: BackupRun): string {
  return `${byteText(bytes)} of about ${byteText(totalBytes)}, ${byteText(newBytes)} of them new`;
}

/** The value of an option that there has to be. */
export function required(value: string | undefined, name: string, example: string): string {
  if (value !== undefined && value !== '') return value;
  throw usageFailure(`--${name} is missing.`, `For example: holdfast ${example}`);
}
