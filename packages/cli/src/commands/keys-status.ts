/** `keys status`: how the keys of the data folder stand, without any of them. @module */
import type { KeyStatus } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

/** Shows the keys, in numbers. */
export const keysStatus: Command = defineCommand(
  {
    path: 'keys status',
    summary: 'show who keeps the keys, their versions, ages and numbers',
    details:
      'A data key is replaced by itself when it is 90 days old or has sealed an eighth of what\n' +
      'it may (NIST SP 800-38D); what it sealed before stays readable. WORN says how much of\n' +
      'that the most used key of each kind has used up.',
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['keys status'],
  },
  async (world, { values }) => {
    const status = await withClient(world, values.data, (client) => client.keyStatus());
    world.stdout.write(values.json === true ? jsonLine(status) : keyStatusText(status, world));
  },
);

/** What is said of the keys. */
export function keyStatusText(
  status: KeyStatus,
  { stdout, timeZone }: Pick<World, 'stdout' | 'timeZone'>,
): string {
  const paint = paintFor(stdout);
  const { custody, versions, purposes } = status;
  const newest = versions.at(-1);
  const made = newest === undefined ? '' : localTime(newest.createdAt, timeZone);
  const rows = [
    ['kept by', printable(custody.name)],
    ['recovery', recoveryText(status, { paint, timeZone })],
    ['key-encryption key', `version ${newest?.version ?? 0}, made ${made}`],
    ...rotationRows(status),
  ];
  const keys = purposes.map(({ purpose, current, former, destroyed, oldestAt, worn }) => [
    printable(purpose),
    `${current} in use`,
    `${former} former`,
    `${destroyed} destroyed`,
    oldestAt === undefined ? '' : `since ${localTime(oldestAt, timeZone)}`,
    wornText(worn),
  ]);
  return `${table(rows)}\n${paint.strong('Data keys')}\n${table(keys, 2)}`;
}

function recoveryText(
  { custody, escrow }: KeyStatus,
  { paint, timeZone }: { paint: ReturnType<typeof paintFor>; timeZone: string },
): string {
  if (custody.isInToken) return 'by a second token only, made as its vendor describes';
  if (escrow === undefined) {
    return paint.bad(
      'NONE: lose what keeps the keys, and all data is lost. Run: holdfast keys escrow',
    );
  }
  const { threshold, count, madeAt, setId } = escrow;
  return `${threshold} of ${count} shares, set ${printable(setId)}, made ${localTime(madeAt, timeZone)}`;
}

function rotationRows({ rotation }: KeyStatus): string[][] {
  if (rotation === undefined) return [];
  const { left, total, waitsFor } = rotation;
  if (left > 0) return [['rotation', `${total - left} of ${total} keys are wrapped again`]];
  if (waitsFor.length === 0) return [['rotation', 'about to end']];
  const places = waitsFor.map((name) => printable(name)).join(', ');
  return [['rotation', `waits for these backups to get the new keys: ${places}`]];
}

function wornText(worn: number): string {
  return worn < 0.001 ? 'worn less than 0.1 %' : `worn ${(worn * 100).toFixed(1)} %`;
}
