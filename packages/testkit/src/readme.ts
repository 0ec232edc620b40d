/** Runs what the README says, as it stands there. @module */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, run } from './run.ts';

const README = join(import.meta.dirname, '../../../README.md');

/** Enrolls with openssl and curl alone; makes a folder named after the device in `folder`. */
export function enrollAsInReadme(claim: string, folder: string): Promise<Run> {
  const block = /```sh\n(IFS=.*?)```/s.exec(readFileSync(README, 'utf8'))?.[1];
  if (block === undefined) throw new Error('the README does not show the enrollment any more');
  return run('bash', ['-c', `set -e -o pipefail\n${block}`], { cwd: folder, input: `${claim}\n` });
}
