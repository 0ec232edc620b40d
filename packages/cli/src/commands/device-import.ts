/** `device import`: many devices from a file, each with a claim. @module */
import { DATA_OPTION, defineCommand, integerOption, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { readDeviceFile } from '../device-file.ts';
import { countText } from '../device-selection.ts';
import { usageFailure } from '../failure.ts';
import { checkImport, createFiles, importAll } from '../import-devices.ts';
import { localTime } from '../local-time.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import type { World } from '../world.ts';

const DAYS = { min: 1, max: 365, default: 30 };
const DAY_MS = 86_400_000;

/** Registers the devices of a file. */
export const deviceImport: Command = defineCommand(
  {
    path: 'device import',
    summary: 'register the devices of a CSV file, and write a claim for each',
    details:
      'The first line names the columns: id,class,group,tags (the last two may be left\n' +
      'out; tags have spaces between them). When anything is wrong, you are shown all\n' +
      'of it, and nothing is imported.\n' +
      'Claims and labels are secrets until they are used: the files are for you only.\n' +
      'Interrupted, or claims lost? Run it again with --again and other file names:\n' +
      'devices that never enrolled get new claims, and their old ones are void.',
    arguments: ['file'],
    options: {
      claims: { type: 'string', value: 'FILE', help: 'where the claims go: a new CSV file' },
      labels: {
        type: 'string',
        value: 'FILE.html',
        help: 'labels with QR codes, A4, to print from a browser: a new file',
      },
      days: {
        type: 'string',
        value: 'DAYS',
        help: `how long the claims work, 1 to ${DAYS.max} (default ${DAYS.default})`,
      },
      again: { type: 'boolean', help: 'new claims for devices that never enrolled' },
      'dry-run': { type: 'boolean', help: 'only check the file' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['device import devices.csv --claims claims.csv --labels labels.html'],
  },
  async (world, { values, positionals: [file = ''] }) => {
    const { claims, labels, again = false, json = false } = values;
    const isDry = values['dry-run'] === true;
    const days = integerOption(values.days ?? String(DAYS.default), { name: 'days', ...DAYS });
    const options = { again, claimLifeMs: days * DAY_MS };
    checkPaths({ claims, labels, isDry });
    const lines = readDeviceFile(file);
    await withStepUp(world, values.data, async (client) => {
      const counts = await checkImport(client, lines, { file, options, ...world });
      if (isDry) return showCheck(world, counts, json);
      const { claimFile, sheet } = createFiles(claims ?? '', labels);
      const expiresAt = await importAll(world, client, { lines, options, claimFile, sheet });
      const files = { claims: claimFile.path, labels, pages: sheet?.pages };
      show(world, { ...counts, expiresAt, ...files }, json);
    });
  },
);

function checkPaths({
  claims,
  labels,
  isDry,
}: {
  claims: string | undefined;
  labels: string | undefined;
  isDry: boolean;
}): void {
  const example = 'holdfast device import devices.csv --claims claims.csv --labels labels.html';
  if (claims === undefined && !isDry) {
    throw usageFailure(
      '--claims is missing: the claims are shown once.',
      `For example: ${example}`,
    );
  }
  if (labels !== undefined && !/\.html?$/iu.test(labels)) {
    throw usageFailure('--labels takes the name of an HTML file.', `For example: ${example}`);
  }
}

function showCheck(
  { stdout }: World,
  counts: { added: number; claimedAgain: number },
  json: boolean,
): void {
  if (json) return stdout.write(jsonLine(counts));
  stdout.write(`${summary(counts)} would be imported. Nothing was done.\n`);
}

function show(
  { stdout, timeZone }: World,
  outcome: {
    readonly added: number;
    readonly claimedAgain: number;
    readonly expiresAt: string;
    readonly claims: string;
    readonly labels: string | undefined;
    readonly pages: number | undefined;
  },
  json: boolean,
): void {
  if (json) return stdout.write(jsonLine(outcome));
  const { claims, labels, pages, expiresAt } = outcome;
  const until = localTime(expiresAt, timeZone).slice(0, -3);
  const files = [`  ${printable(claims)}  the claims, one a line\n`];
  if (labels !== undefined)
    files.push(
      `  ${printable(labels)}  ${pages === 1 ? '1 page' : `${pages} pages`} of A4 to print\n`,
    );
  stdout.write(
    `${summary(outcome)} imported.\n\n${files.join('')}\n` +
      `Each claim works once, until ${until}, for whoever reads it: give each one to\n` +
      'its device only, and delete the files when you are done.\n',
  );
}

function summary({ added, claimedAgain }: { added: number; claimedAgain: number }): string {
  const again = claimedAgain === 0 ? '' : ` (${claimedAgain} again, with new claims)`;
  return `${countText(added + claimedAgain)}${again}`;
}
