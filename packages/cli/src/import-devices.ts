/** Imports devices in batches: checks them all, then registers them and keeps their claims. @module */
import type { Client } from '@holdfast/client';
import { DEVICE_IMPORT_MAX, type ImportedDevices } from '@holdfast/protocol/api';
import { type AppendFile, createAppendFile } from './append-file.ts';
import { claimOf } from './claim-of.ts';
import { csvLine } from './csv.ts';
import { type DeviceLine, refusal } from './device-file.ts';
import { countText } from './device-selection.ts';
import { Failure, asFailure } from './failure.ts';
import { LabelSheet } from './label-sheet.ts';
import { IMPORT_REQUEST_BYTES_MAX } from './limits.ts';
import { localTime } from './local-time.ts';
import { progressOn } from './progress.ts';
import type { World } from './world.ts';

/** How an import is done. */
export interface ImportOptions {
  readonly again: boolean;
  readonly claimLifeMs: number;
}

/** Both files, or none. @throws Failure `E_CLI_FILE` */
export function createFiles(
  claims: string,
  labels: string | undefined,
): { claimFile: AppendFile; sheet: LabelSheet | undefined } {
  const claimFile = createAppendFile(claims);
  try {
    const sheet = labels === undefined ? undefined : new LabelSheet(createAppendFile(labels));
    return { claimFile, sheet };
  } catch (error) {
    claimFile.discard();
    throw error;
  }
}

/** What an import would do. @throws Failure with all that is in its way. */
export async function checkImport(
  client: Client,
  lines: readonly DeviceLine[],
  { file, options, stderr }: { file: string; options: ImportOptions; stderr: World['stderr'] },
): Promise<{ added: number; claimedAgain: number }> {
  const linesById = new Map(lines.map(({ line, device }) => [device.id, line]));
  const problems = [];
  let [added, claimedAgain, checked] = [0, 0, 0];
  const progress = progressOn(stderr);
  try {
    for (const some of batches(lines)) {
      const devices = some.map(({ device }) => device);
      const found = await client.importDevices({ devices, ...options, dryRun: true });
      added += found.added;
      claimedAgain += found.claimedAgain;
      for (const { id, why } of found.conflicts) {
        problems.push({ line: linesById.get(id) ?? 0, what: `names ${id}, which ${why}` });
      }
      checked += some.length;
      progress.bar(checked, lines.length, `checked ${checked} of ${countText(lines.length)}`);
    }
  } finally {
    progress.clear();
  }
  if (problems.length > 0) throw refusal(file, problems);
  return { added, claimedAgain };
}

/**
 * Registers them all, and writes each claim as it comes.
 * @returns when the first of the claims ends.
 */
export async function importAll(
  world: World,
  client: Client,
  {
    lines,
    options,
    claimFile,
    sheet,
  }: {
    lines: readonly DeviceLine[];
    options: ImportOptions;
    claimFile: AppendFile;
    sheet: LabelSheet | undefined;
  },
): Promise<string> {
  const { stderr, timeZone } = world;
  const progress = progressOn(stderr);
  let [count, endsAt] = [0, ''];
  claimFile.append(csvLine(['id', 'class', 'group', 'claim', 'expires']));
  try {
    for (const some of batches(lines)) {
      const devices = some.map(({ device }) => device);
      const { claims } = await client.importDevices({ devices, ...options });
      claimFile.append(claimLines(some, claims));
      sheet?.add(
        some.map(({ device }, at) => ({
          ...device,
          claim: claims[at]?.text ?? '',
          until: localTime(claims[at]?.expiresAt ?? '', timeZone).slice(0, 10),
        })),
      );
      count += some.length;
      if (endsAt === '') endsAt = claims[0]?.expiresAt ?? '';
      progress.bar(count, lines.length, `${count} of ${countText(lines.length)}`);
    }
    sheet?.end();
    return endsAt;
  } catch (error) {
    throw interrupted(error, { count, of: lines.length, path: claimFile.path });
  } finally {
    progress.clear();
    claimFile.close();
    sheet?.close();
  }
}

function claimLines(some: readonly DeviceLine[], claims: ImportedDevices['claims']): string {
  return some
    .map(({ device: { id, class: deviceClass, group } }, at) => {
      const claim = claims[at];
      if (claim?.id !== id) throw new TypeError('the claims are not those of the request');
      claimOf(id, claim.text);
      return csvLine([id, deviceClass, group, claim.text, claim.expiresAt]);
    })
    .join('');
}

function interrupted(
  cause: unknown,
  { count, of, path }: { count: number; of: number; path: string },
): Failure {
  const { code, message, why, exitCode } = asFailure(cause);
  return new Failure(code, {
    what: `${message}\nOf ${countText(of)}, ${count} are imported; their claims are in ${path}.`,
    why,
    fix: 'Run it again with --again and other file names: it goes on, and all claims are new.',
    exitCode,
    cause,
  });
}

/** As many lines as fit in one request. */
function* batches(lines: readonly DeviceLine[]): Generator<readonly DeviceLine[]> {
  let [some, bytes]: [DeviceLine[], number] = [[], 0];
  for (const line of lines) {
    const size = JSON.stringify(line.device).length + 1;
    if (some.length === DEVICE_IMPORT_MAX || bytes + size > IMPORT_REQUEST_BYTES_MAX) {
      yield some;
      [some, bytes] = [[], 0];
    }
    some.push(line);
    bytes += size;
  }
  if (some.length > 0) yield some;
}
