/** `audit prove`: the evidence of one reading, for somebody else. @module */
import { writeFileSync } from 'node:fs';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, integerOption } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, systemWhy } from '../failure.ts';
import { printable } from '../printable.ts';

/** Writes a bundle of evidence. */
export const auditProve: Command = defineCommand(
  {
    path: 'audit prove',
    summary: 'write the evidence of a reading, for somebody who has never seen the server',
    details:
      'The bundle has the exact signed bytes, the proof that the log has them, the\n' +
      'checkpoint with the cosignatures of witnesses, and the acts and certificates\n' +
      'that tell whose device it was. Who gets it sees who did what to the device.\n' +
      'Check it anywhere: holdfast audit check FILE. The log says who asked for it.',
    arguments: ['device'],
    options: {
      reading: { type: 'string', value: 'INDEX', help: 'its index (default: the newest reading)' },
      out: { type: 'string', value: 'FILE', help: 'where to write it (default: standard output)' },
      data: DATA_OPTION,
    },
    examples: ['audit prove valve-3 --reading 1042 --out evidence.json'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const { reading, out, data } = values;
    const limits = { name: 'reading', min: 0, max: 999_999_999_999_999 };
    const request = reading === undefined ? {} : { index: integerOption(reading, limits) };
    const evidence = await withClient(world, data, (client) => client.proveReading(id, request));
    const text = `${JSON.stringify(evidence, null, 2)}\n`;
    if (out === undefined) return world.stdout.write(text);
    try {
      writeFileSync(out, text, { mode: 0o600 });
    } catch (cause) {
      throw new Failure('E_CLI_FILE', {
        what: `${out} cannot be written.`,
        why: systemWhy(cause),
        fix: 'Name a file in a folder in which you may write.',
        cause,
      });
    }
    const { index } = evidence.reading;
    world.stdout.write(
      `${printable(out)} proves entry ${index}, a reading of ${printable(id)}.\n` +
        `Check it: holdfast audit check ${printable(out)} --key @log.pub\n`,
    );
  },
);
