/** `restore` and `backup drill`: a data folder out of a backup. @module */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RestoreReport } from '@holdfast/server';
import { dataFolder } from '../access.ts';
import { restoredArtifactsText } from '../artifacts-text.ts';
import { byteText } from '../byte-text.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command, OptionSet } from '../command.ts';
import { spanText } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { placeOption } from '../place-option.ts';
import { jsonLine, printable } from '../printable.ts';
import { progressOn } from '../progress.ts';
import { withStepUp } from '../step-up.ts';
import { textFrom } from '../text-source.ts';
import type { World } from '../world.ts';
import { SECRET_OPTIONS, askSecrets } from './custody-options.ts';
import { S3_OPTIONS, s3Of } from './s3-options.ts';

const SOURCE_OPTIONS = {
  from: { type: 'string', value: 'PLACE', help: 'where the backup was made to' },
  id: { type: 'string', value: 'ID', help: 'which backup (default: the newest)' },
  'unseal-key': {
    type: 'string',
    value: 'FILE',
    help: 'your copy of unseal.key, where the keys were kept in a file',
  },
  key: { type: 'string', value: 'KEY', help: 'public key of its log, or @FILE, from your records' },
  ...SECRET_OPTIONS,
  ...S3_OPTIONS,
  json: JSON_OPTION,
} as const satisfies OptionSet;

/** Restores a data folder. */
export const restore: Command = defineCommand(
  {
    path: 'restore',
    summary: 'make a data folder out of a backup, and verify it',
    details:
      'The folder must not exist, or be empty. Everything is checked while it is read: the\n' +
      'signature, each chunk, and then the whole audit log and each artifact of updates, which\n' +
      'come into the folder wherever they were kept. One that was stopped goes on.\n' +
      'Whatever came after the backup is not there: revocations, quarantines, new devices,\n' +
      'changed passwords. Look at them before you let devices in. Never run the old server\n' +
      'and the restored one at the same time.',
    options: {
      ...SOURCE_OPTIONS,
      data: { ...DATA_OPTION, help: 'the folder to make (default ./data, or HOLDFAST_DATA)' },
    },
    examples: [
      'restore --from folder:/mnt/backup/holdfast --data ./restored --unseal-key ./unseal.key',
    ],
  },
  async (world, { values }) => {
    const example = 'restore --from folder:/mnt/backup --data ./new';
    const from = placeOption(values.from, { name: '--from', example });
    const dataDir = values.data ?? dataFolder(world.env);
    const { restoreData } = await world.server();
    const progress = progressOn(world.stderr);
    const report = await restoreData({
      ...(await sourceOf(world, values, from)),
      dataDir,
      onProgress: (done, total) =>
        progress.bar(done, total, `${byteText(done)} of ${byteText(total)}`),
    }).finally(() => progress.clear());
    if (values.json === true) return world.stdout.write(jsonLine(report));
    world.stdout.write(restoredText(report, { dataDir, world }));
  },
);

/** Tries a restore, and puts the result on the audit log. */
export const backupDrill: Command = defineCommand(
  {
    path: 'backup drill',
    summary: 'try a restore: all of it, into a folder that is removed again',
    details:
      'A backup that was never restored is a hope. The result goes on the audit log of the\n' +
      'server, and is shown by holdfast backup status. It needs as much free space as the\n' +
      'data folder has; --scratch says where.',
    options: {
      ...SOURCE_OPTIONS,
      scratch: { type: 'string', value: 'FOLDER', help: 'where to restore to for the moment' },
      data: DATA_OPTION,
    },
    examples: ['backup drill --from folder:/mnt/backup/holdfast'],
  },
  async (world, { values }) => {
    const example = 'backup drill --from folder:/mnt/backup/holdfast';
    const from = placeOption(values.from, { name: '--from', example });
    const own = join(values.data ?? dataFolder(world.env), 'unseal.key');
    const unsealKey = values['unseal-key'] ?? (existsSync(own) ? own : undefined);
    const source = await sourceOf(world, { ...values, 'unseal-key': unsealKey }, from);
    const outcome = await tried(world, values.scratch, source);
    const record = (drill: DrillResult) =>
      withStepUp(world, values.data, (client) => client.recordDrill({ ...drill, from }));
    if (outcome instanceof Error) {
      const why = printable(outcome.message).slice(0, WHY_CHARACTERS);
      await record({ backup: values.id ?? 'newest', isGood: false, findings: 1, entries: 0, why });
      throw outcome;
    }
    const { backup, verified } = outcome;
    await record({ backup, isGood: true, findings: 0, entries: verified.entries });
    if (values.json === true) return world.stdout.write(jsonLine(outcome));
    const paint = paintFor(world.stdout);
    const count = new Intl.NumberFormat('en').format(verified.entries);
    world.stdout.write(
      `${paint.good('✓ The restore works:')} backup ${printable(backup)}, ` +
        `${count} entries verified. It is on the audit log.\n` +
        restoredArtifactsText(outcome.artifacts, paint) +
        (values['unseal-key'] === undefined && unsealKey === own
          ? `It was opened with ${printable(own)}. Try your copy of it, too: --unseal-key FILE\n`
          : ''),
    );
  },
);

interface DrillResult {
  readonly backup: string;
  readonly isGood: boolean;
  readonly findings: number;
  readonly entries: number;
  readonly why?: string;
}

type Source = Awaited<ReturnType<typeof sourceOf>>;

async function tried(
  world: World,
  scratch: string | undefined,
  source: Source,
): Promise<RestoreReport | Error> {
  const { drillRestore } = await world.server();
  const scratchDir = mkdtempSync(join(scratch ?? tmpdir(), 'holdfast-drill-'));
  const progress = progressOn(world.stderr);
  try {
    return await drillRestore({
      ...source,
      scratchDir,
      onProgress: (done, total) =>
        progress.bar(done, total, `${byteText(done)} of ${byteText(total)}`),
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    progress.clear();
    rmSync(scratchDir, { recursive: true, force: true });
  }
}

async function sourceOf(
  world: World,
  values: {
    readonly id?: string | undefined;
    readonly 'unseal-key'?: string | undefined;
    readonly key?: string | undefined;
  } & Parameters<typeof askSecrets>[1] &
    Parameters<typeof s3Of>[0],
  from: string,
) {
  const { id, key, 'unseal-key': unsealKeyFile } = values;
  const verifierKey = key === undefined ? undefined : await textFrom(key, world);
  const s3 = s3Of(values);
  return { from, id, unsealKeyFile, verifierKey, s3, ...askSecrets(world, values) };
}

function restoredText(
  { backup, at, devices, erasedDevices, verified, checkpoint, artifacts }: RestoreReport,
  { dataDir, world }: { dataDir: string; world: World },
): string {
  const paint = paintFor(world.stdout);
  const age = spanText(Math.max(0, world.nowMs() - Date.parse(at)));
  const number = new Intl.NumberFormat('en');
  const [, size = '0', root = ''] = checkpoint.split('\n');
  const erased =
    erasedDevices === 0 ? '' : `  Erased after the backup, and erased still: ${erasedDevices}.\n`;
  const doubt =
    verified.keySource === 'given'
      ? ''
      : `  ${paint.faint('The public key came from the backup itself; give --key to be sure.')}\n`;
  return (
    `${paint.good('✓ Restored and verified')} into ${printable(dataDir)}: backup ${printable(backup)}, ` +
    `${number.format(verified.entries)} entries, ${devices} ${devices === 1 ? 'device' : 'devices'}.\n${erased}` +
    restoredArtifactsText(artifacts, paint) +
    `  Its log ended at size ${printable(size)} with root ${printable(root)}.\n${doubt}\n` +
    `${paint.bad(`It is ${age} old. Whatever happened since is not in it:`)}\n` +
    '  - devices revoked or quarantined since get in again: repeat that before you start it;\n' +
    '  - people and tokens removed since count again, passwords are the old ones;\n' +
    '  - devices added or enrolled again since have to be added and enrolled again;\n' +
    '  - messages since are lost here, unless devices send them again.\n' +
    'Never run the old server beside it. Start it with: ' +
    `holdfast up --data ${printable(dataDir)}\n`
  );
}

const WHY_CHARACTERS = 500;
