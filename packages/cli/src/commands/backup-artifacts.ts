/** `backup artifacts`: whether backups leave out the artifacts that are in a bucket. @module */
import { DATA_OPTION, JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { jsonLine } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { required, statusText } from './backup.ts';

/** Leaves artifacts out, or copies them again. */
export const backupArtifacts: Command = defineCommand(
  {
    path: 'backup artifacts',
    summary: 'leave artifacts out of backups, or copy them again',
    details:
      'Backups copy the artifacts of updates, also those that are kept in a bucket of S3. If\n' +
      'that bucket is backed up otherwise, they can be left out: a restore then says that they\n' +
      'are not there, and where they were. It holds for the bucket that is used now; what is\n' +
      'in the data folder is always copied.',
    options: {
      'leave-out': { type: 'boolean', help: 'leave them out from the next backup on' },
      copy: { type: 'boolean', help: 'copy them from the next backup on' },
      reason: { type: 'string', value: 'TEXT', help: 'why, for the audit log' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: [
      'backup artifacts --leave-out --reason "the bucket is replicated to Dublin"',
      'backup artifacts --copy --reason "no replication any more"',
    ],
  },
  async (world, { values }) => {
    const example = 'backup artifacts --leave-out --reason "the bucket is replicated to Dublin"';
    const isLeftOut = values['leave-out'] === true;
    if (isLeftOut === (values.copy === true)) {
      throw usageFailure('Give --leave-out or --copy.', `For example: holdfast ${example}`);
    }
    const reason = required(values.reason, 'reason', example);
    const status = await withStepUp(world, values.data, (client) =>
      client.leaveOutArtifacts({ isLeftOut, reason }),
    );
    world.stdout.write(values.json === true ? jsonLine(status) : statusText(status, world));
  },
);
