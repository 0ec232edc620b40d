/** `audit verify`: offline, without trusting the server. @module */
import type { VerifyReport } from '@holdfast/server';
import { dataFolder } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { table } from '../table.ts';
import { textFrom } from '../text-source.ts';
import type { Output, World } from '../world.ts';
import { PIN_OPTIONS, pinSource } from './token-options.ts';

/** Verifies a data folder or a backup of one. */
export const auditVerify: Command = defineCommand(
  {
    path: 'audit verify',
    summary: 'check a data folder or a backup for any change, offline',
    details:
      'Every stored entry is checked against the Merkle tree, and the tree against\n' +
      'every signed checkpoint. Give --key from your own records: a folder can only\n' +
      'vouch for itself.',
    options: {
      data: { ...DATA_OPTION, help: 'the folder to check (default ./data, or HOLDFAST_DATA)' },
      key: { type: 'string', value: 'KEY', help: 'verifier key of the log, or @FILE' },
      ...PIN_OPTIONS,
      json: JSON_OPTION,
    },
    examples: ['audit verify', 'audit verify --data /mnt/backup/data --key @log.pub'],
  },
  async (world, { values }) => {
    const { data, key, json } = values;
    const dataDir = data ?? dataFolder(world.env);
    const verifierKey = key === undefined ? undefined : await textFrom(key, world);
    const { verifyData } = await world.server();
    const progress = progressOn(world.stderr);
    const askPin = pinSource(world, values);
    const report = await verifyData({ dataDir, verifierKey, askPin, onProgress: progress.show });
    progress.clear();
    world.stdout.write(json === true ? jsonLine(report) : reportText(report, world));
    if (report.ok) return;
    const count = report.findings.length;
    throw new Failure('E_AUDIT_CHANGED', {
      what: `${dataDir} is not as it was written.`,
      why: count === 1 ? 'There is 1 finding, above.' : `There are ${count} findings, above.`,
      fix: 'Keep the folder as evidence, compare it with a backup, and find out who could write to it.',
    });
  },
);

function progressOn(stderr: Output) {
  const count = new Intl.NumberFormat('en');
  return {
    show: (entries: number) => {
      if (stderr.isTty) stderr.write(`\r${count.format(entries)} entries checked `);
    },
    clear: () => {
      if (stderr.isTty) stderr.write('\r\u001B[K');
    },
  };
}

function reportText(report: VerifyReport, { stdout }: World): string {
  const paint = paintFor(stdout);
  const number = new Intl.NumberFormat('en');
  const { ok, entries, messages, acts, refusals, checkpoints, size, root, seconds } = report;
  const parts = `${number.format(messages)} messages, ${number.format(acts)} acts, ${number.format(refusals)} refusals`;
  const rows = [
    ['entries', `${number.format(entries)} of ${number.format(size)} (${parts})`],
    ...(report.erased > 0
      ? [['erased', `${number.format(report.erased)} by resets of devices`]]
      : []),
    ['checkpoints', `${number.format(checkpoints)} with a valid signature`],
    ['root', printable(root)],
    ['key', printable(report.verifierKey)],
    ['time', `${seconds.toFixed(1)} s`],
  ];
  const findings = report.findings.map(({ entries, what }) => {
    const where = entries === undefined ? 'the log' : rangeText(entries);
    return `  ${paint.bad('✗')} ${where}: ${printable(what)}\n`;
  });
  const verdict = ok ? paint.good('✓ Nothing was changed.') : paint.bad('✗ Something was changed.');
  const doubt =
    report.keySource === 'given'
      ? ''
      : `\n  ${paint.faint('The key came from the folder itself; give --key to be sure.')}\n`;
  return `${verdict}\n${findings.join('')}\n${table(rows, 2)}${doubt}`;
}

function rangeText({ first, last }: { first: number; last: number }): string {
  return first === last ? `entry ${first}` : `entries ${first} to ${last}`;
}
