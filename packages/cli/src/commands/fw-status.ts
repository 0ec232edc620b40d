/** `fw status`, `fw list`, `fw show`: how the update repository stands, and what is released. @module */
import type { DeviceUpdateView, FirmwareStatus, ReleaseView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { byteText } from '../byte-text.ts';
import { DATA_OPTION, JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure } from '../failure.ts';
import { viewText } from '../firmware/request-text.ts';
import { localTime, spanText } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

const OUTPUT_OPTIONS = { json: JSON_OPTION, data: DATA_OPTION } as const;

/** Shows the roles, and what waits. */
export const fwStatus: Command = defineCommand(
  {
    path: 'fw status',
    summary: 'show who signs updates, what waits for signatures, and when it all ends',
    details:
      'What has ended stops updates: devices take nothing that is too old. Snapshots and\n' +
      'timestamps are signed by the server itself, all else by people: holdfast fw renew.\n' +
      'The exit code is 1 when somebody has to act now.',
    options: OUTPUT_OPTIONS,
    examples: ['fw status'],
  },
  async (world, { values }) => {
    const { stdout } = world;
    const [status, requests] = await withClient(world, values.data, (client) =>
      Promise.all([client.firmwareStatus(), client.signingRequests()]),
    );
    if (values.json === true) stdout.write(jsonLine({ ...status, requests }));
    else if (!status.isInitialized && requests.length === 0) {
      return stdout.write('There are no keys for updates yet: holdfast fw init --help\n');
    } else {
      stdout.write(rolesText(status, world));
      for (const request of requests) {
        stdout.write(`\nWaits for signatures: ${request.id.slice(0, 16)}\n${viewText(request)}`);
      }
    }
    if (values.json !== true) stdout.write(unneededText(status));
    const ending = status.roles.filter(({ isEndingSoon }) => isEndingSoon);
    if (ending.length === 0) return;
    const names = ending.map(({ repository, role }) => `${repository} ${role}`).join(', ');
    throw new Failure('E_UPDATE_METADATA', {
      what: `Devices will take no update soon: ${names}.`,
      why: 'A device trusts metadata only until its end, so that nobody can keep it on old ones.',
      fix: 'Have new ones signed now: holdfast fw renew.',
    });
  },
);

/** Nothing while it is little: a few old releases are no trouble. */
function unneededText({ artifacts }: FirmwareStatus): string {
  const { count, bytes } = artifacts?.unneeded ?? { count: 0, bytes: 0 };
  if (bytes < UNNEEDED_BYTES_SHOWN) return '';
  const some = count === 1 ? '1 artifact' : `${count} artifacts`;
  const command = 'holdfast fw artifact remove --unneeded --dry-run';
  return `\nNothing needs ${some}, ${byteText(bytes)}: ${command}\n`;
}

function rolesText({ roles }: FirmwareStatus, world: World): string {
  const paint = paintFor(world.stdout);
  const rows = roles.map(({ repository, role, version, expiresAt, isEndingSoon, ...keys }) => {
    const leftMs = Date.parse(expiresAt) - world.nowMs();
    const left = leftMs <= 0 ? 'HAS ENDED' : `bites in ${spanText(leftMs)}`;
    const names = keys.signers.map(({ name }) => (name === '' ? 'the server' : printable(name)));
    return [
      `${repository} ${role}`,
      `v${version}`,
      isEndingSoon ? paint.bad(left) : left,
      `${keys.threshold} of ${names.join(', ')}`,
    ];
  });
  return table(rows);
}

/** Lists the releases. */
export const fwList: Command = defineCommand(
  {
    path: 'fw list',
    summary: 'list the releases, and how many devices are to run each',
    options: OUTPUT_OPTIONS,
    examples: ['fw list'],
  },
  async (world, { values }) => {
    const releases = await withClient(world, values.data, (client) => client.releases());
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine({ releases }));
    if (releases.length === 0) return stdout.write('Nothing is released yet.\n');
    const rows = releases.map((release) => [
      printable(release.id),
      `counter ${release.facts.counter}`,
      sizeText(release.length),
      release.facts.hardware.map(printable).join(', '),
      `${release.assigned} assigned, ${release.confirmed} confirmed`,
      release.isStored ? '' : paintFor(stdout).bad('the artifact is missing: fw upload'),
    ]);
    stdout.write(table(rows));
  },
);

/** Shows a release. */
export const fwShow: Command = defineCommand(
  {
    path: 'fw show',
    summary: 'show a release, or how the update of a device stands',
    arguments: ['release-or-device'],
    options: OUTPUT_OPTIONS,
    examples: ['fw show thermo@2.1.0', 'fw show pump-1'],
  },
  async (world, { values, positionals: [what = ''] }) => {
    const { stdout } = world;
    if (!what.includes('@')) {
      const update = await withClient(world, values.data, (client) => client.deviceUpdate(what));
      return stdout.write(values.json === true ? jsonLine(update) : updateText(update, world));
    }
    const releases = await withClient(world, values.data, (client) => client.releases());
    const release = releases.find(({ id }) => id === what);
    if (release === undefined) throw noRelease(what);
    stdout.write(values.json === true ? jsonLine(release) : releaseText(release));
  },
);

/** Says what one device is to run. */
export const fwAssign: Command = defineCommand(
  {
    path: 'fw assign',
    summary: 'say which release a device is to run',
    details:
      'For one device, to try something; for many use a rollout. A device refuses what has a\n' +
      'lower security counter than what it runs, or is for other hardware.',
    arguments: ['device', 'release'],
    options: {
      reason: { type: 'string', value: 'TEXT', help: 'why, for the audit log' },
      ...OUTPUT_OPTIONS,
    },
    examples: ['fw assign pump-1 thermo@2.1.0', 'fw assign pump-1 none'],
  },
  async (world, { values, positionals: [device = '', what = ''] }) => {
    const release = what === 'none' ? null : what;
    const { reason } = values;
    const update = await withStepUp(world, values.data, (client) =>
      client.assignRelease(device, { release, ...(reason !== undefined && { reason }) }),
    );
    world.stdout.write(values.json === true ? jsonLine(update) : updateText(update, world));
  },
);

function releaseText({ id, path, length, sha256, facts, ...counts }: ReleaseView): string {
  const rows = [
    ['release', printable(id)],
    ['path', printable(path)],
    ['size', sizeText(length)],
    ['sha256', sha256],
    ['hardware', facts.hardware.map(printable).join(', ')],
    ['counter', String(facts.counter)],
    ['from version', printable(facts.minimumVersion ?? 'any')],
    ['severity', facts.severity ?? 'not said'],
    ['fixes', (facts.fixes ?? []).map(printable).join(', ')],
    ['sbom', facts.sbom?.sha256 ?? 'none'],
    ['deltas', String(facts.deltas?.length ?? 0)],
    ['assigned to', `${counts.assigned} devices`],
    ['confirmed by', `${counts.confirmed} devices`],
    ['artifact', counts.isStored ? 'stored' : 'MISSING: holdfast fw upload FILE'],
  ];
  return table(rows);
}

function updateText({ device, assigned, reported }: DeviceUpdateView, world: World): string {
  const time = (iso: string): string => localTime(iso, world.timeZone);
  const rows = [['device', printable(device)]];
  if (assigned === undefined) rows.push(['is to run', 'what it runs']);
  else {
    const gone = assigned.isPublished ? '' : ' (taken back: it is not told of it any more)';
    rows.push(['is to run', `${printable(assigned.release)}${gone}`]);
    rows.push(['since', `${time(assigned.since)} by ${printable(assigned.by)}`]);
  }
  if (reported === undefined) rows.push(['told', 'nothing yet']);
  else {
    const { release, state, since, why, runs, running } = reported;
    rows.push(['told', `${state} of ${printable(release)} since ${time(since)}`]);
    if (why !== undefined) rows.push(['why', printable(why)]);
    rows.push(['runs', printable(runs ?? running ?? 'not said')]);
  }
  return table(rows);
}

function sizeText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const mib = bytes / 1_048_576;
  return mib < 1 ? `${(bytes / 1_024).toFixed(1)} KiB` : `${mib.toFixed(1)} MiB`;
}

function noRelease(id: string): Failure {
  return new Failure('E_OPERATE_NOT_FOUND', {
    what: `There is no release ${printable(id)}.`,
    why: 'None of the published releases has this name.',
    fix: 'See them with holdfast fw list; one that waits for signatures: holdfast fw requests.',
  });
}

/** 100 MB. */
const UNNEEDED_BYTES_SHOWN = 100_000_000;
