/**
 * Makes the control tree of the boot loader: the machine's own tree with the public key that is
 * trusted and the one command that is run.
 *
 *     node control-tree.ts machine.dtb boot.pub.pem control.dtb
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fixBootCommand, readBootKey, trustBootKeys } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';

/** The boot script without its comments. */
function bootCommand(): string {
  const script = readFileSync(join(import.meta.dirname, 'boot.cmd'), 'utf8');
  const lines = script.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return `${lines.join('\n')}\n`;
}

/** The control tree out of the machine's tree. @throws Error when tree or key cannot be used */
export function makeControlTree(machine: Uint8Array, pem: string): Buffer {
  const key = readBootKey('boot', pem);
  if (key instanceof Refusal) throw new Error(key.detail);
  const trusted = trustBootKeys(machine, [key]);
  if (trusted instanceof Refusal) throw new Error(trusted.detail);
  return fixBootCommand(trusted, bootCommand());
}

if (import.meta.main) {
  const [machine, key, output] = parseArgs({ allowPositionals: true }).positionals;
  if (machine === undefined || key === undefined || output === undefined) {
    throw new Error('usage: control-tree.ts machine.dtb boot.pub.pem control.dtb');
  }
  writeFileSync(output, makeControlTree(readFileSync(machine), readFileSync(key, 'utf8')));
}
