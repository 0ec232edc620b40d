/** `export readings`, `export acts`, `export devices`: files for other programs. @module */
import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { EXPORT_FORMATS, type ExportFormat, type ExportKind } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { byteText } from '../byte-text.ts';
import { DATA_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { progressOn } from '../progress.ts';
import { timeOption } from '../time-option.ts';
import type { World } from '../world.ts';
import { required } from './backup.ts';

const SUMMARIES: Readonly<Record<ExportKind, string>> = {
  readings: 'write readings to a file',
  acts: 'write who did what to a file',
  devices: 'write the devices to a file',
};

const COMMON_OPTIONS = {
  format: { type: 'string', value: 'FORMAT', help: 'ndjson, csv or parquet (default ndjson)' },
  from: { type: 'string', value: 'TIME', help: 'only from then on: -7d, 2026-11-21, ISO 8601' },
  to: { type: 'string', value: 'TIME', help: 'only before then' },
  out: { type: 'string', value: 'FILE', help: 'the file to write, readable by you alone' },
  data: DATA_OPTION,
} as const;

const DETAILS =
  'You get what you may see, and nothing else. The export and the number of its rows are\n' +
  'put on the audit log. What leaves the server is not sealed any more: the file is yours\n' +
  'to protect. In CSV, a text that a spreadsheet would run as a formula gets an apostrophe.';

function exportCommand(kind: ExportKind): Command {
  const device = { type: 'string', value: 'ID', help: 'only of this device' } as const;
  return defineCommand(
    {
      path: `export ${kind}`,
      summary: SUMMARIES[kind],
      details: DETAILS,
      options: kind === 'readings' ? { ...COMMON_OPTIONS, device } : COMMON_OPTIONS,
      examples: [`export ${kind} --format csv --from 2026-11-01 --out ${kind}.csv`],
    },
    async (world, { values }) => {
      const out = required(values.out, 'out', `export ${kind} --out ${kind}.ndjson`);
      const format = formatOf(values.format);
      const nowMs = world.nowMs();
      const time = (name: 'from' | 'to'): string | undefined =>
        values[name] && timeOption(values[name], { name, nowMs, timeZone: world.timeZone });
      const query = {
        format,
        from: time('from'),
        to: time('to'),
        device: 'device' in values ? values.device : undefined,
      };
      const bytes = await withClient(world, values.data, async (client) =>
        writeWhole(await client.export(kind, query), out, world),
      );
      world.stdout.write(`${printable(out)} is written: ${byteText(bytes)}.\n`);
    },
  );
}

export const exportReadings: Command = exportCommand('readings');
export const exportActs: Command = exportCommand('acts');
export const exportDevices: Command = exportCommand('devices');

/** Only a whole file gets its name: half an export must not pass for one. */
async function writeWhole(
  source: NodeJS.ReadableStream,
  path: string,
  { stderr }: Pick<World, 'stderr'>,
): Promise<number> {
  const partial = `${path}.partial`;
  // What an earlier one left may be a link, or readable by others.
  rmSync(partial, { force: true });
  const file = createWriteStream(partial, { mode: 0o600, flags: 'wx', flush: true });
  const progress = progressOn(stderr);
  const told = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      yield chunk;
      // How much there will be, nobody knows before it is there.
      progress.show(`Written ${byteText(file.bytesWritten)}`);
    }
  };
  try {
    await pipeline(source, told, file);
    progress.clear();
    renameSync(partial, path);
    return file.bytesWritten;
  } catch (cause) {
    progress.clear();
    rmSync(partial, { force: true });
    throw new Failure('E_CLI_EXPORT', {
      what: `${printable(path)} was not written.`,
      why: 'The export ended before its end: the server stopped, a right to it ended, or the disk is full.',
      fix: 'See holdfast status and holdfast audit acts, and run it again.',
      cause,
    });
  }
}

function formatOf(text = 'ndjson'): ExportFormat {
  const format = EXPORT_FORMATS.find((known) => known === text);
  if (format !== undefined) return format;
  throw usageFailure(`There is no format "${text}".`, `One of ${EXPORT_FORMATS.join(', ')}.`);
}
