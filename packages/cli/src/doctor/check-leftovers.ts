/** Checks for work that was begun and has not ended. @module */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Installation } from '@holdfast/server';
import { type Finding, bad, good, warn } from './finding.ts';

const CHECK = 'unfinished work';

/** Looks for a restore that stopped, files that were half written, and a server that crashed. */
export function checkLeftovers({
  folder,
  restoring,
  isRunning,
}: Pick<Installation, 'folder' | 'restoring' | 'isRunning'>): Finding[] {
  const findings: Finding[] = [];
  if (existsSync(restoring)) {
    findings.push(
      bad(CHECK, `A restore did not end: ${restoring} is still there.`, {
        why: 'What is in it is not verified, and holds keys.',
        fix: `Run the same holdfast restore again: it goes on. Or remove it: rm -r ${restoring}`,
      }),
    );
  }
  if (isRunning === false && existsSync(folder.localAccess)) {
    findings.push(
      warn(CHECK, 'The last server on this folder did not stop, it ended.', {
        why: 'It crashed, was killed, or lost power. What it had acknowledged is stored.',
        fix: 'See the last lines of its log, start it again (holdfast up), then: holdfast audit verify.',
      }),
    );
  }
  for (const name of partials(folder.path)) {
    findings.push(
      warn(CHECK, `${join(folder.path, name)} was half written.`, {
        why: 'A process ended while it wrote that file; the file itself is as it was before.',
        fix: `rm ${join(folder.path, name)}`,
      }),
    );
  }
  return findings.length > 0 ? findings : [good(CHECK, 'none')];
}

function partials(path: string): string[] {
  try {
    return readdirSync(path).filter((name) => name.endsWith('.partial'));
  } catch {
    // Not there, or not to be read: the check of the folder says so.
    return [];
  }
}
