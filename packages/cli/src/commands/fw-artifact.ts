/** `fw artifact`: the stored files of releases, and the removal of what nothing needs. @module */
import type { Client } from '@holdfast/client';
import {
  ARTIFACTS_NAMED_MAX,
  type RemovedArtifacts,
  type StoredArtifact,
  type StoredArtifactList,
} from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { byteText } from '../byte-text.ts';
import { DATA_OPTION, JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';
import { typeToConfirm } from '../type-to-confirm.ts';
import type { World } from '../world.ts';

/** Lists what is stored. */
export const fwArtifactList: Command = defineCommand(
  {
    path: 'fw artifact list',
    summary: 'list the stored artifacts, what needs each of them, and what could go',
    details:
      'An artifact is a file of a release: its image, a delta, an SBOM or a SUIT envelope.\n' +
      'What no release needs stays on the disk, in the bucket and in backups until somebody\n' +
      'removes it: holdfast fw artifact remove --unneeded --dry-run.',
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['fw artifact list'],
  },
  async (world, { values }) => {
    const list = await withClient(world, values.data, (client) => client.storedArtifacts());
    const { stdout } = world;
    stdout.write(values.json === true ? jsonLine(list) : listText(list, world));
  },
);

/** Removes what nothing needs. */
export const fwArtifactRemove: Command = defineCommand(
  {
    path: 'fw artifact remove',
    summary: 'remove stored artifacts that nothing needs',
    details:
      'Name them by the first 8 or more characters of their SHA-256, or say --unneeded. What is\n' +
      'in a published release, waits for signatures, is in a rollout, is assigned to devices or\n' +
      'runs on them is never removed. --unneeded leaves alone what was uploaded in the last 30\n' +
      'days as well. A version that was taken back is never given to another file; whoever\n' +
      'brings the same file again has it back.\n' +
      '--strays removes what belongs to no artifact that this server knows, as after a restore\n' +
      'of an older backup. Use it only where no other server keeps artifacts at the same place.\n' +
      'It shows what would go and asks; in a script it needs --yes.',
    arguments: ['artifact...?'],
    options: {
      unneeded: { type: 'boolean', help: 'all that nothing needs' },
      strays: { type: 'boolean', help: 'chunks that belong to nothing this server knows' },
      'dry-run': { type: 'boolean', help: 'show what would go, and why the rest stays' },
      reason: { type: 'string', value: 'TEXT', help: 'why, for the audit log' },
      yes: { type: 'boolean', help: 'do not ask' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: [
      'fw artifact remove --unneeded --dry-run',
      'fw artifact remove --unneeded',
      'fw artifact remove 3b7e21f09c44',
    ],
  },
  async (world, { values, positionals: names }) => {
    const { unneeded = false, strays = false, reason, json, yes, data } = values;
    if (names.length === 0 && !unneeded && !strays) {
      throw usageFailure(
        'It takes artifacts, --unneeded or --strays.',
        'See what could go with holdfast fw artifact list.',
      );
    }
    const { stdout } = world;
    const preview = await withStepUp(world, data, async (client) => {
      const artifacts = names.length === 0 ? [] : await named(client, names);
      return client.removeArtifacts({ artifacts, unneeded, strays, dryRun: true });
    });
    if (values['dry-run'] === true) {
      return stdout.write(json === true ? jsonLine(preview) : previewText(preview));
    }
    const count = preview.removed.count + preview.strays.uploads;
    if (count > 0 && yes !== true) await confirm(world, preview, count);
    // What was shown goes, and nothing that came since.
    const removed =
      count === 0
        ? preview
        : await withStepUp(world, data, (client) => remove(client, preview, reason));
    if (json === true) return stdout.write(jsonLine(removed));
    if (count === 0)
      return stdout.write('Nothing to remove: something needs each artifact, or it came lately.\n');
    stdout.write(`Removed ${goingText(removed)}. The space is free in a moment.\n`);
  },
);

/** The hashes of artifacts that were named by their first characters. */
async function named(client: Client, names: readonly string[]): Promise<string[]> {
  const { artifacts } = await client.storedArtifacts();
  return names.map((name) => {
    if (!/^[0-9a-f]{8,64}$/u.test(name)) {
      throw usageFailure(
        `${printable(name)} does not name an artifact.`,
        'Give the first 8 or more characters of its SHA-256: holdfast fw artifact list.',
      );
    }
    const [found, ...more] = artifacts.filter(({ sha256 }) => sha256.startsWith(name));
    if (found !== undefined && more.length === 0) return found.sha256;
    throw new Failure('E_OPERATE_NOT_FOUND', {
      what: found === undefined ? `There is no artifact ${name}.` : `${name} names several.`,
      why: 'Artifacts are named by their SHA-256.',
      fix: 'See them with holdfast fw artifact list.',
    });
  });
}

async function confirm(
  { input, stdout, stderr }: World,
  preview: RemovedArtifacts,
  count: number,
): Promise<void> {
  stderr.write(goingTable(preview));
  stderr.write(`This removes ${goingText(preview)}, for good.\n`);
  const what = 'Nothing was removed.';
  if (!input.isTty || !stdout.isTty) {
    const why = 'What is removed is gone.';
    throw new Failure('E_CLI_NOT_CONFIRMED', { what, why, fix: 'Run it again with --yes.' });
  }
  const word = String(count);
  await typeToConfirm({ input }, { question: `Type ${word} to go on: `, word, not: what });
}

async function remove(
  client: Client,
  preview: RemovedArtifacts,
  reason: string | undefined,
): Promise<RemovedArtifacts> {
  const hashes = preview.artifacts.map(({ sha256 }) => sha256);
  const why = reason === undefined ? {} : { reason };
  let done: RemovedArtifacts = {
    artifacts: [],
    removed: { count: 0, bytes: 0 },
    strays: { uploads: 0, bytes: 0 },
    stays: [],
  };
  let wantsStrays = preview.strays.uploads > 0;
  for (let at = 0; at < hashes.length || wantsStrays; at += ARTIFACTS_NAMED_MAX) {
    const artifacts = hashes.slice(at, at + ARTIFACTS_NAMED_MAX);
    const some = await client.removeArtifacts({ artifacts, strays: wantsStrays, ...why });
    wantsStrays = false;
    done = {
      artifacts: [...done.artifacts, ...some.artifacts],
      removed: {
        count: done.removed.count + some.removed.count,
        bytes: done.removed.bytes + some.removed.bytes,
      },
      strays: at === 0 ? some.strays : done.strays,
      stays: [],
    };
  }
  return done;
}

function listText(
  { artifacts, stored, unneeded, ...left }: StoredArtifactList,
  world: World,
): string {
  if (artifacts.length === 0 && left.strays.uploads === 0) return 'No artifact is stored yet.\n';
  const paint = paintFor(world.stdout);
  const rows = artifacts.map((one) => [
    one.sha256.slice(0, SHOWN_CHARACTERS),
    byteText(one.length),
    localTime(one.storedAt, world.timeZone),
    releasesText(one),
    one.isWhole ? whyText(one) : paint.bad(`chunks are missing; ${whyText(one)}`),
  ]);
  const lines = [
    table([['ARTIFACT', 'SIZE', 'UPLOADED', 'RELEASES', 'WHY IT STAYS'], ...rows]),
    `\n${countText(stored.count)}, ${byteText(stored.bytes)}.`,
    unneeded.count === 0
      ? ' Nothing could go.\n'
      : ` ${countText(unneeded.count)}, ${byteText(unneeded.bytes)}, could go: ` +
        'holdfast fw artifact remove --unneeded\n',
  ];
  const { strays, removing } = left;
  if (strays.uploads > 0) {
    const text = `${uploadsText(strays.uploads)} that this server knows nothing of`;
    lines.push(`${text}, ${byteText(strays.bytes)}: holdfast fw artifact remove --strays\n`);
  }
  if (removing > 0) {
    lines.push(
      `The chunks of ${uploadsText(removing)} are being removed, once no backup copies them.\n`,
    );
  }
  return lines.join('');
}

function previewText(preview: RemovedArtifacts): string {
  const { stays, removed, strays } = preview;
  const goes =
    removed.count + strays.uploads === 0
      ? 'Nothing would be removed.\n'
      : `${goingTable(preview)}This would remove ${goingText(preview)}. Nothing was done.\n`;
  if (stays.length === 0) return goes;
  return `${goes}\nWhat stays, and why:\n${table(
    stays.map((one) => rowOf(one).concat(whyText(one))),
    2,
  )}`;
}

function goingTable({ artifacts }: RemovedArtifacts): string {
  return table(artifacts.map(rowOf), 2);
}

function rowOf(one: StoredArtifact): string[] {
  return [one.sha256.slice(0, SHOWN_CHARACTERS), byteText(one.length), releasesText(one)];
}

function goingText({ removed, strays }: RemovedArtifacts): string {
  const parts = [
    ...(removed.count === 0 ? [] : [`${countText(removed.count)}, ${byteText(removed.bytes)}`]),
    ...(strays.uploads === 0
      ? []
      : [`the chunks of ${uploadsText(strays.uploads)}, ${byteText(strays.bytes)}`]),
  ];
  return parts.join(', and ');
}

function releasesText({ releases }: StoredArtifact): string {
  if (releases.length === 0) return 'no release';
  const [first, ...more] = releases.map(({ id, kind, stage }) => {
    const what = kind === 'image' ? '' : `${kind} of `;
    return `${what}${printable(id)}${stage === 'published' ? '' : ` (${stage})`}`;
  });
  return more.length === 0 ? (first ?? '') : `${first ?? ''} and ${more.length} more`;
}

function whyText({ needs }: StoredArtifact): string {
  return needs.length === 0
    ? 'nothing needs it'
    : needs.map(({ why }) => printable(why)).join('; ');
}

function countText(count: number): string {
  return count === 1 ? '1 artifact' : `${count} artifacts`;
}

function uploadsText(count: number): string {
  return count === 1 ? '1 upload' : `${count} uploads`;
}

/** Enough to name one among ten thousand. */
const SHOWN_CHARACTERS = 12;
