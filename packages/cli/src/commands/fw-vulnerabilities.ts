/** `fw vulnerabilities …`: which known ones are in which release, and the list of them. @module */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VulnerabilityReport } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { writeAdvisories } from '../firmware/advisory-source.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';
import { upload } from './fw-release.ts';

/** Lists the known vulnerabilities. */
export const fwVulnerabilities: Command = defineCommand(
  {
    path: 'fw vulnerabilities list',
    summary: 'list the known vulnerabilities of releases, and how many devices run them',
    details:
      'The components are those of the SBOM that a release was made with. What is known of\n' +
      'them comes of the list that was imported last: holdfast fw vulnerabilities import.\n' +
      'A version that cannot be compared counts as affected.',
    options: {
      release: { type: 'string', value: 'RELEASE', help: 'of this one only, such as thermo@2.1.0' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['fw vulnerabilities list', 'fw vulnerabilities list --release thermo@2.1.0'],
  },
  async (world, { values }) => {
    const report = await withClient(world, values.data, (client) => client.vulnerabilities());
    const { release: wanted } = values;
    const releases = report.releases.filter(({ release }) => (wanted ?? release) === release);
    if (wanted !== undefined && releases.length === 0) throw unknownRelease(wanted);
    if (values.json === true) return world.stdout.write(jsonLine({ ...report, releases }));
    show(world, { ...report, releases });
  },
);

/** Brings a list of known vulnerabilities. */
export const fwVulnerabilitiesImport: Command = defineCommand(
  {
    path: 'fw vulnerabilities import',
    summary: 'bring what is known of vulnerabilities: OSV records, which need no network here',
    details:
      'FILES is a zip of an ecosystem of osv.dev, a JSON record, a file with one record a\n' +
      'line, or a folder of these; give --also for more. All of it takes the place of what was\n' +
      'imported before.',
    arguments: ['files'],
    options: {
      also: { type: 'string', multiple: true, value: 'FILES', help: 'one more of these' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: [
      'fw vulnerabilities import Debian.zip',
      'fw vulnerabilities import npm.zip --also PyPI.zip --also own-advisories/',
    ],
  },
  async (world, { values, positionals: [first = ''] }) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-osv-'));
    try {
      const path = join(folder, 'advisories');
      const { passedOver } = await writeAdvisories(path, [first, ...(values.also ?? [])]);
      const list = await withStepUp(world, values.data, async (client) => {
        const { sha256 } = await upload(world, client, path);
        return client.importAdvisories(sha256);
      });
      if (values.json === true) return world.stdout.write(jsonLine({ ...list, passedOver }));
      world.stdout.write(`${list.count} advisories count from now on.\n`);
      if (passedOver > 0) world.stderr.write(`${passedOver} records could not be read.\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

function show(world: World, { list, releases }: VulnerabilityReport): void {
  const { stdout, stderr, timeZone } = world;
  const { strong, faint, bad } = paintFor(stdout);
  if (list === undefined) {
    throw new Failure('E_UPDATE_ADVISORIES', {
      what: 'Nothing is known of vulnerabilities yet.',
      why: 'Nobody has brought a list of them to this server.',
      fix: 'Bring OSV records: holdfast fw vulnerabilities import FILES.',
    });
  }
  stderr.write(`${list.count} advisories of ${localTime(list.importedAt, timeZone)}.\n`);
  if (releases.length === 0) stderr.write('No release has an SBOM: holdfast fw release --sbom.\n');
  for (const { release, devices, problem, components, unmatched, count, findings } of releases) {
    const on = `on ${devices} ${devices === 1 ? 'device' : 'devices'}`;
    stdout.write(`${strong(printable(release))}: ${count} known, ${on}\n`);
    if (problem !== undefined) stdout.write(`  ${bad(printable(problem))}\n`);
    const rows = findings.map(({ severity, component, version, id, aliases, summary }) => [
      severity === 'critical' || severity === 'high' ? bad(severity) : severity,
      printable(`${component} ${version}`),
      printable([id, ...aliases.filter((alias) => alias.startsWith('CVE-'))].join(' ')),
      faint(printable(summary)),
    ]);
    stdout.write(table(rows));
    if (count > findings.length) stdout.write(`  and ${count - findings.length} more\n`);
    if (unmatched > 0) {
      stdout.write(faint(`  ${unmatched} of ${components} components have no known ecosystem\n`));
    }
  }
}

function unknownRelease(release: string): Failure {
  return usageFailure(
    `No release ${printable(release)} with an SBOM is among the newest.`,
    'See holdfast fw list.',
  );
}
