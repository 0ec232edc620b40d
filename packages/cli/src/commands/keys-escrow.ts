/** `keys escrow` and `keys recover`: shares that open the data folder together. @module */
import { dataFolder } from '../access.ts';
import { DATA_OPTION, defineCommand, integerOption } from '../command.ts';
import type { Command } from '../command.ts';
import { type Failure, usageFailure } from '../failure.ts';
import { openSecretFile } from '../secret-file.ts';
import { readSecret } from '../secret-source.ts';
import type { World } from '../world.ts';
import { SECRET_OPTIONS, askSecrets } from './custody-options.ts';

/** Makes recovery shares. */
export const keysEscrow: Command = defineCommand(
  {
    path: 'keys escrow',
    summary: 'make recovery shares, for the day on which the unseal key is lost',
    details:
      'Any two of three shares open the data folder and every backup of it; one alone says\n' +
      'nothing. Each is shown once and kept nowhere: print them, and give each to another\n' +
      'person or safe. Without them, whoever loses the unseal key, the passphrase, or the\n' +
      'key in KMS or Vault has lost all data: nobody can restore it. The server must be\n' +
      'stopped. Earlier shares keep opening: destroy them when somebody leaves.',
    options: {
      shares: { type: 'string', value: 'N', help: 'how many to make, 2 to 16 (default 3)' },
      threshold: { type: 'string', value: 'N', help: 'how many open, 2 or more (default 2)' },
      out: {
        type: 'string',
        value: 'PREFIX',
        help: 'write them to files PREFIX-1, PREFIX-2, … instead of the terminal',
      },
      ...SECRET_OPTIONS,
      data: DATA_OPTION,
    },
    examples: ['keys escrow', 'keys escrow --shares 5 --threshold 3 --out /media/usb/share'],
  },
  async (world, { values }) => {
    const count = integerOption(values.shares ?? '3', { name: 'shares', min: 2, max: 16 });
    const threshold = integerOption(values.threshold ?? '2', {
      name: 'threshold',
      min: 2,
      max: count,
    });
    const { stdout } = world;
    if (values.out === undefined && !stdout.isTty) throw noTerminal();
    const { makeEscrow } = await world.server();
    const dataDir = values.data ?? dataFolder(world.env);
    const { askPassphrase } = askSecrets(world, values);
    const { note, texts } = await makeEscrow({ dataDir, count, threshold, askPassphrase });
    const head = (index: number): string =>
      `Holdfast recovery share ${index} of ${count}, set ${note.setId}, ${note.madeAt.slice(0, 10)}: any ${threshold} open.`;
    for (const [at, text] of texts.entries()) {
      const index = at + 1;
      if (values.out === undefined) stdout.write(`${head(index)}\n\n    ${text}\n\n`);
      else openSecretFile(`${values.out}-${index}`).keep(`${text}\n${head(index)}\n`);
    }
    stdout.write(
      `Give each to another person or safe. To use them: holdfast keys recover\n` +
        'What no share restores: certificates that devices lost, and an exported root key.\n',
    );
  },
);

/** Opens a data folder by shares. */
export const keysRecover: Command = defineCommand(
  {
    path: 'keys recover',
    summary: 'open a data folder by its recovery shares',
    details:
      'Writes the unseal key into the folder again, after it has proven that it opens. Give\n' +
      'the shares in files, or type them when asked. Change the custody afterwards, if a\n' +
      'file is not what you want: holdfast keys set-custody',
    options: {
      'share-file': {
        type: 'string',
        multiple: true,
        value: 'FILE',
        help: 'a file with one share, as keys escrow --out wrote it',
      },
      data: DATA_OPTION,
    },
    examples: ['keys recover', 'keys recover --share-file share-1 --share-file share-3'],
  },
  async (world, { values }) => {
    const { recoverUnsealKey } = await world.server();
    const dataDir = values.data ?? dataFolder(world.env);
    recoverUnsealKey(dataDir, await sharesOf(world, values['share-file'] ?? []));
    world.stdout.write(
      'The data folder opens again: its unseal key is in unseal.key.\n' +
        'Start the server, then make new shares; those that were used have been seen.\n',
    );
  },
);

async function sharesOf(world: World, files: readonly string[]): Promise<string[]> {
  const shares: string[] = [];
  for (const file of files) {
    const text = await readSecret(world, sourceOf(file), '');
    shares.push(text);
  }
  if (files.length > 0) return shares;
  for (;;) {
    const which = shares.length === 0 ? 'A share' : 'Another share, or nothing when that is all';
    const text = (await readSecret(world, sourceOf(undefined), `${which}: `)).trim();
    if (text === '') return shares;
    shares.push(text);
  }
}

function sourceOf(file: string | undefined) {
  return {
    what: 'recovery share',
    fd: { option: 'share-file', value: undefined },
    file: { option: 'share-file', value: file },
  };
}

function noTerminal(): Failure {
  return usageFailure(
    'The shares are secret, and standard output is no terminal.',
    'Run it on a terminal, or give --out to write each into a file of its own.',
  );
}
