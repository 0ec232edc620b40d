/** `audit verify`: a data folder or a copy offline, or the log of a server that runs. @module */
import { existsSync, writeFileSync } from 'node:fs';
import { ApiError } from '@holdfast/client';
import type { Client } from '@holdfast/client';
import { dataFolder, localAccessPath, withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command, Values } from '../command.ts';
import { Failure, systemWhy, usageFailure } from '../failure.ts';
import { jsonLine } from '../printable.ts';
import { readText, textFrom } from '../text-source.ts';
import type { World } from '../world.ts';
import { PIN_OPTIONS, pinSource } from './token-options.ts';
import { type ShownReport, reportText, verifyProgress } from './verify-report.ts';

const OPTIONS = {
  data: { ...DATA_OPTION, help: 'the folder to check (default ./data, or HOLDFAST_DATA)' },
  key: { type: 'string', value: 'KEY', help: 'verifier key of the log, or @FILE' },
  live: { type: 'boolean', help: 'ask the server that you are logged in to' },
  since: { type: 'string', value: 'FILE', help: 'check only what follows this checkpoint' },
  save: { type: 'string', value: 'FILE', help: 'keep the checkpoint of a good end, for --since' },
  against: { type: 'string', value: 'PATH', help: 'another copy, or a checkpoint kept elsewhere' },
  ...PIN_OPTIONS,
  json: JSON_OPTION,
} as const;

type Options = Values<typeof OPTIONS>;

/** Verifies a log. */
export const auditVerify: Command = defineCommand(
  {
    path: 'audit verify',
    summary: 'check a data folder, a copy of one, or a running server for any change',
    details:
      'Every stored entry is checked against the Merkle tree, and the tree against\n' +
      'every signed checkpoint. What was erased or has expired must be named by an act\n' +
      'on the log. While a server runs on the folder, it checks itself, and tells how\n' +
      'far it is; Ctrl-C cancels that. A server vouches only for itself, and so does a\n' +
      'folder: for a judgement that trusts neither, check a copy of the folder on\n' +
      'another machine, with --key from your own records.\n' +
      '--since FILE with --save FILE checks only what is new since the last time.\n' +
      '--against finds a log that was rewritten or set back.',
    options: OPTIONS,
    examples: [
      'audit verify',
      'audit verify --data /mnt/backup/data --key @log.pub',
      'audit verify --since good.txt --save good.txt',
      'audit verify --data ./copy --against ./older-copy',
    ],
  },
  async (world, { values }) => {
    const isLive = values.live === true || existsSync(localAccessPath(world, values.data));
    const found = isLive ? await verifyLive(world, values) : await verifyFolder(world, values);
    const { report, checkpoint } = found;
    world.stdout.write(values.json === true ? jsonLine(report) : reportText(report, world));
    if (!report.ok) throw changed(report);
    if (values.save !== undefined && checkpoint !== undefined) save(values.save, checkpoint);
  },
);

interface Found {
  readonly report: ShownReport;
  /** The newest checkpoint that was checked. */
  readonly checkpoint: string | undefined;
}

async function verifyFolder(world: World, values: Options): Promise<Found> {
  const { data, key, since, against } = values;
  const dataDir = data ?? dataFolder(world.env);
  const verifierKey = key === undefined ? undefined : await textFrom(key, world);
  const { verifyData } = await world.server();
  const progress = verifyProgress(world);
  const askPin = pinSource(world, values);
  const onProgress = progress.show;
  try {
    const report = await verifyData({ dataDir, verifierKey, askPin, since, against, onProgress });
    const { checkpoint, ...shown } = report;
    return { report: { ...shown, what: dataDir }, checkpoint };
  } finally {
    progress.clear();
  }
}

/** A server that was killed leaves its access behind: its folder is checked offline then. */
async function verifyLive(world: World, values: Options): Promise<Found> {
  if (values.key !== undefined) {
    throw usageFailure(
      '--key is for a folder: a server that runs checks itself, with its own key.',
      'Leave --key out, or check a copy of the folder: --data COPY --key @log.pub.',
    );
  }
  try {
    return await withClient(world, values.live === true ? undefined : values.data, (client) =>
      askServer(world, client, values),
    );
  } catch (error) {
    const isGone = error instanceof ApiError && error.code === 'E_CLIENT_UNREACHABLE';
    if (isGone && values.live !== true) return verifyFolder(world, values);
    throw error;
  }
}

async function askServer(world: World, client: Client, values: Options): Promise<Found> {
  const { since, against } = values;
  const checkpoint = await client.checkpoint();
  const cancellation = new AbortController();
  world.onStopSignal(() => cancellation.abort(cancelled()));
  const progress = verifyProgress(world);
  try {
    const report = await client.verifyLog(
      {
        since: since === undefined ? undefined : readText(since),
        against: against === undefined ? undefined : readText(against),
      },
      { onProgress: progress.show, signal: cancellation.signal },
    );
    return { report: { ...report, what: 'the server' }, checkpoint };
  } finally {
    progress.clear();
  }
}

function cancelled(): Failure {
  return new Failure('E_CLI_STOPPED', {
    what: 'The verification was cancelled.',
    why: 'You pressed Ctrl-C, or the process was told to end.',
    fix: 'Run it again; with --since it begins where the last good one ended.',
  });
}

function changed({ what, findings }: ShownReport): Failure {
  const count = findings.length;
  return new Failure('E_AUDIT_CHANGED', {
    what: `The log of ${what} is not as it was written.`,
    why: count === 1 ? 'There is 1 finding, above.' : `There are ${count} findings, above.`,
    fix: 'Keep the folder as evidence, compare it with a backup (--against), and find out who could write to it.',
  });
}

function save(path: string, checkpoint: string): void {
  try {
    writeFileSync(path, checkpoint, { mode: 0o600 });
  } catch (cause) {
    throw new Failure('E_CLI_FILE', {
      what: `${path} cannot be written.`,
      why: systemWhy(cause),
      fix: 'Name a file in a folder in which you may write.',
      cause,
    });
  }
}
