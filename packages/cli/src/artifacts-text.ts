/** What is said of the artifacts of updates in backups. @module */
import type { BackupRun } from '@holdfast/protocol/api';
import type { RestoreReport } from '@holdfast/server';
import { byteText } from './byte-text.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

/** Says that backups leave them out; empty where they are copied, as they should be. */
export function leftOutText(place: string | undefined): string {
  if (place === undefined) return '';
  return `Artifacts of updates are left out: they are in ${printable(place)}.\n`;
}

/** Says that a backup has not all of them; empty where it has. */
export function missingText(artifacts: BackupRun['artifacts'], paint: Paint): string {
  const missing = artifacts?.missing ?? 0;
  if (missing === 0) return '';
  const what = `${of(missing)} NOT in it, as the server has not all of each.`;
  return `${paint.bad(what)} Bring them again: holdfast fw upload FILE\n`;
}

/** What is said of the artifacts of a restored folder; empty where there are none. */
export function restoredArtifactsText(
  { count, bytes, missing, leftOut, areInBackup }: RestoreReport['artifacts'],
  paint: Paint,
): string {
  const whole = count === 0 ? '' : `  ${of(count)} there and whole: ${byteText(bytes)}.\n`;
  if (missing.length === 0) return whole;
  const bring = 'bring it again: holdfast fw upload FILE';
  const why = leftOut
    ? `Backups leave them out. They were in ${printable(leftOut)}: start with --firmware-bucket,\n` +
      `  or ${bring}`
    : areInBackup
      ? `The server had not all of each when the backup was made. Whoever has one can\n  ${bring}`
      : `This backup holds none, as older versions made it. Whoever has one can\n  ${bring}`;
  const hashes = missing.slice(0, HASHES_SHOWN).map((sha256) => `    ${printable(sha256)}\n`);
  const more = missing.length - hashes.length;
  return (
    `${whole}  ${paint.bad(`${of(missing.length)} MISSING.`)} ${why}\n` +
    `${hashes.join('')}${more > 0 ? `    and ${more} more\n` : ''}`
  );
}

const HASHES_SHOWN = 5;

function of(count: number): string {
  return count === 1 ? '1 artifact is' : `${count} artifacts are`;
}
