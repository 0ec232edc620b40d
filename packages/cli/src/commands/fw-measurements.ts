/** `fw measurements`: what a good boot measures, read from the log of one. @module */
import {
  type BootEvent,
  EVENT_LOG_BYTES_MAX,
  type Measurements,
  readEventLog,
} from '@holdfast/firmware';
import { JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { readBounded } from '../firmware/files.ts';
import { printable } from '../printable.ts';

const EXAMPLE = 'fw measurements binary_bios_measurements --pcr 4 --pcr 8 --pcr 9';

/** Prints the measurements of a boot, as `fw release --measurements` takes them. */
export const fwMeasurements: Command = defineCommand(
  {
    path: 'fw measurements',
    summary: 'print what a boot has measured into the PCRs of a TPM',
    details:
      'FILE is the event log of a device that has booted the release, and that you trust: on\n' +
      'Linux /sys/kernel/security/tpm0/binary_bios_measurements. Name the PCRs that only the\n' +
      'release decides, such as 4, 8, 9 and 11; others differ from machine to machine. Redirect\n' +
      'the output to a file for: holdfast fw release --measurements FILE.',
    arguments: ['file'],
    options: {
      json: JSON_OPTION,
      pcr: {
        type: 'string',
        multiple: true,
        value: 'N',
        help: 'PCR that only the release decides',
      },
    },
    examples: [EXAMPLE],
  },
  async ({ stdout }, { values, positionals: [path = ''] }) => {
    const pcrs = [...new Set((values.pcr ?? []).map(pcrOf))].sort((a, b) => a - b);
    if (pcrs.length === 0) throw usageFailure('Which PCRs?', `holdfast ${EXAMPLE}`);
    const events = readEventLog(readBounded(path, EVENT_LOG_BYTES_MAX));
    if (events === undefined) throw fileFailure(path, 'is no crypto-agile event log with SHA-256');
    const measured = pcrs.map((pcr) => ({ pcr, events: digestsOf(events, pcr, path) }));
    stdout.write(`${JSON.stringify(measured satisfies Measurements, undefined, 2)}\n`);
  },
);

function pcrOf(text: string): number {
  const pcr = Number(text);
  if (/^\d{1,2}$/u.test(text) && pcr <= 23) return pcr;
  throw usageFailure(`"${printable(text)}" is no PCR.`, 'Give a number from 0 to 23.');
}

function digestsOf(events: readonly BootEvent[], pcr: number, path: string): string[] {
  const digests = events.filter((event) => event.pcr === pcr).map(({ digest }) => digest);
  if (digests.length > 0) return digests;
  throw fileFailure(path, `has no event of PCR ${pcr}`);
}

function fileFailure(path: string, what: string): Failure {
  return new Failure('E_CLI_FILE', {
    what: `${printable(path)} ${what}.`,
    why: 'Only the event log of a TPM tells what a boot has measured.',
    fix: 'Give the event log of a device that has booted: binary_bios_measurements.',
  });
}
