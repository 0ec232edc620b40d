/** Enrolls as the guide for openssl and curl says, as it stands there. @module */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPage } from './markdown.ts';
import { type Run, run } from './run.ts';

const GUIDE = join(import.meta.dirname, '../../../docs/guides/enroll-with-openssl.md');

/** Enrolls with openssl and curl alone; makes a folder named after the device in `folder`. */
export function enrollByOpenssl(claim: string, folder: string): Promise<Run> {
  const blocks = readPage(readFileSync(GUIDE, 'utf8')).blocks.filter(
    ({ language }) => language === 'sh',
  );
  if (blocks.length === 0) throw new Error('the guide does not show the enrollment any more');
  const script = blocks.map(({ text }) => text).join('');
  return run('bash', ['-c', `set -e -o pipefail\n${script}`], {
    cwd: folder,
    input: `${claim}\n`,
  });
}
