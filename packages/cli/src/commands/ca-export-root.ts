/** `ca export-root`: takes the key of the root off the server. @module */
import { readFileSync, rmSync } from 'node:fs';
import { PASSPHRASE_LENGTH } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { writeNew } from '../new-file.ts';
import { jsonLine, printable } from '../printable.ts';
import { readSecret, typeOnceMore } from '../secret-source.ts';
import { withStepUp } from '../step-up.ts';
import { typeToConfirm } from '../type-to-confirm.ts';
import type { World } from '../world.ts';

/** Exports the root, proves that the file opens, and removes the key from the server. */
export const caExportRoot: Command = defineCommand(
  {
    path: 'ca export-root',
    summary: 'take the key of the root off the server, into an encrypted file',
    details:
      'After it the server holds only issuing keys, and the next rotation needs the\n' +
      'file. It is opened and checked before the server forgets the key. Keep two\n' +
      'copies of it offline, and the passphrase elsewhere: nobody can restore either.',
    options: {
      out: { type: 'string', value: 'FILE', help: 'file to write; it must not exist' },
      'passphrase-fd': {
        type: 'string',
        value: 'N',
        help: 'read the passphrase from descriptor N',
      },
      'passphrase-file': { type: 'string', value: 'FILE', help: 'read the passphrase from a file' },
      yes: { type: 'boolean', help: 'do not ask' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['ca export-root --out root.pem'],
  },
  async (world, { values }) => {
    const { out } = values;
    if (out === undefined) {
      throw usageFailure('It needs a file to write.', 'For example: --out root.pem');
    }
    const { root } = await withClient(world, values.data, (client) => client.authority());
    if (!root.isKeyHere) throw alreadyOffline();
    if (values.yes !== true) await confirm(world);
    const passphrase = await passphraseOf(world, values);
    await withStepUp(world, values.data, async (client) => {
      const { rootPem, challenge } = await client.exportRoot({ passphrase });
      writeNew(out, rootPem, { meanwhile: 'the root is still on the server' });
      const proof = await proofOf(world, { path: out, passphrase, challenge });
      const status = await client.forgetRoot({ proof });
      world.stdout.write(
        values.json === true ? jsonLine(status) : `${doneText(out, root.fingerprint)}\n`,
      );
    });
  },
);

function doneText(path: string, fingerprint: string): string {
  return (
    `The root is in ${printable(path)}, and no longer on the server.\n` +
    `Its certificate has the SHA-256 ${printable(fingerprint)}.\n` +
    'Copy the file to two places that are offline, and then remove it here. Backups of the data\n' +
    'folder from before still hold the key: destroy them, or keep them as you keep this file.'
  );
}

async function passphraseOf(
  world: World,
  values: {
    readonly 'passphrase-fd'?: string | undefined;
    readonly 'passphrase-file'?: string | undefined;
  },
): Promise<string> {
  const source = {
    what: 'passphrase',
    fd: { option: 'passphrase-fd', value: values['passphrase-fd'] },
    file: { option: 'passphrase-file', value: values['passphrase-file'] },
  };
  const passphrase = await readSecret(world, source, 'Passphrase for the file: ');
  const { min, max } = PASSPHRASE_LENGTH;
  if (passphrase.length < min || passphrase.length > max) {
    throw new Failure('E_CLI_PASSWORD', {
      what: `A passphrase has ${min} to ${max} characters.`,
      why: 'What protects the key of the root must not be guessed, nor too long to be typed.',
      fix: 'Take five random words, for example.',
    });
  }
  const isTyped = source.fd.value === undefined && source.file.value === undefined;
  if (isTyped) await typeOnceMore(world, passphrase);
  return passphrase;
}

/** Reads the file back, as it stands on the disk, and signs with the key in it. */
async function proofOf(
  world: World,
  { path, passphrase, challenge }: { path: string; passphrase: string; challenge: string },
): Promise<string> {
  const { proveExportedRoot } = await world.server();
  try {
    return proveExportedRoot({ text: readFileSync(path, 'utf8'), passphrase }, challenge);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

async function confirm({ input, stdout }: World): Promise<void> {
  if (!input.isTty || !stdout.isTty) return;
  const question =
    'The server will hold only issuing keys; whoever loses the file or its passphrase can never\n' +
    'rotate this authority again. Type offline to go on: ';
  await typeToConfirm({ input }, { question, word: 'offline' });
}

function alreadyOffline(): Failure {
  return new Failure('E_CLI_NOT_CONFIRMED', {
    what: 'The key of the root is not on the server any more.',
    why: 'It was exported before, and the server kept no copy.',
    fix: 'Use the file that was written when it was exported.',
  });
}
