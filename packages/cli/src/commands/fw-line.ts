/** `fw upload` and `fw retire`: a file brought again, a release taken back. @module */
import { DATA_OPTION, JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { SECRET_OPTIONS } from './custody-options.ts';
import { deliver, upload } from './fw-release.ts';

/** Brings a file, without releasing it. */
export const fwUpload: Command = defineCommand(
  {
    path: 'fw upload',
    summary: 'bring the file of a release again, when it is missing or damaged',
    details:
      'After a restore holdfast fw list says which are missing, where the backup had not all of\n' +
      'them. Whoever brings the same file mends it: its hash names it.',
    arguments: ['file'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['fw upload thermo-2.1.0.bin'],
  },
  async (world, { values, positionals: [path = ''] }) => {
    const artifact = await withStepUp(world, values.data, (client) => upload(world, client, path));
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine(artifact));
    stdout.write(`Stored ${printable(path)}: ${artifact.sha256}, ${artifact.length} bytes.\n`);
  },
);

/** Makes the request by which devices are told of a release no more. */
export const fwRetire: Command = defineCommand(
  {
    path: 'fw retire',
    summary: 'take releases of a product line back, so that no device is told of them',
    details:
      'The keys of the line sign it, as they sign a release. Devices that run it go on; none\n' +
      'is sent back to an older one by this. Its files stay stored until somebody removes\n' +
      'them: holdfast fw artifact remove.',
    arguments: ['release...'],
    options: {
      out: { type: 'string', value: 'FILE', help: 'request to write (default LINE-retire.json)' },
      key: { type: 'string', value: 'FILE', help: 'release key that signs at once' },
      yes: { type: 'boolean', help: 'sign without asking' },
      ...SECRET_OPTIONS,
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['fw retire thermo@2.1.0'],
  },
  async (world, { values, positionals: retire }) => {
    const lines = new Set(retire.map((id) => id.split('@', 1)[0] ?? ''));
    const [line = '', ...more] = lines;
    if (more.length > 0 || !retire.every((id) => id.includes('@'))) {
      throw usageFailure('It takes releases of one line.', 'Such as thermo@2.1.0 thermo@2.1.1.');
    }
    const made = await withStepUp(world, values.data, (client) =>
      client.proposeLine(line, { retire: [...retire] }),
    );
    const out = values.out ?? `${line}-retire.json`;
    await deliver(world, { made, asked: { line, retire }, out, values });
  },
);
