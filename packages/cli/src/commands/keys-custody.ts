/** `keys custody` and `keys set-custody`: who keeps what opens the data folder. @module */
import { dataFolder } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { jsonLine, printable } from '../printable.ts';
import { KEEPER_OPTIONS, SECRET_OPTIONS, askPassphrase, keeperOf } from './custody-options.ts';

/** Says who keeps the keys. */
export const keysCustody: Command = defineCommand(
  {
    path: 'keys custody',
    summary: 'say who keeps the key that opens the data folder',
    options: { data: DATA_OPTION, json: JSON_OPTION },
    examples: ['keys custody'],
  },
  async (world, { values: { data, json } }) => {
    const { custodyOfFolder } = await world.server();
    const custody = custodyOfFolder(data ?? dataFolder(world.env));
    if (json === true) return world.stdout.write(jsonLine(custody));
    const name = custody.name === custody.kind ? '' : `: ${printable(custody.name)}`;
    world.stdout.write(`${TEXTS[custody.kind]}${name}\n`);
  },
);

/** Gives the unseal key to another keeper. */
export const keysSetCustody: Command = defineCommand(
  {
    path: 'keys set-custody',
    summary: 'let somebody else keep the key that opens the data folder',
    details:
      'KIND is file, passphrase, aws-kms or vault. The server must be stopped; nothing that\n' +
      'is sealed is touched, and at every moment one of the two keepers opens the folder.\n' +
      'Copies of the file that held the key, in backups or snapshots of the disk, open it\n' +
      'still: find and destroy them. To keep keys in a PKCS#11 token, start a new data\n' +
      'folder with --custody pkcs11.',
    arguments: ['kind'],
    options: { ...KEEPER_OPTIONS, ...SECRET_OPTIONS, data: DATA_OPTION, json: JSON_OPTION },
    examples: [
      'keys set-custody passphrase',
      'keys set-custody vault --vault-url https://vault.example.com:8200 --vault-key holdfast --vault-token-file token',
    ],
  },
  async (world, { values, positionals: [kind = ''] }) => {
    const to = keeperOf(kind, values);
    const { changeCustody } = await world.server();
    const dataDir = values.data ?? dataFolder(world.env);
    // From one passphrase to another, a file or descriptor could only give one of the two.
    const given = new Map<string, Promise<string>>();
    const changed = await changeCustody({
      dataDir,
      to,
      askPassphrase: (which) => {
        const asked = given.get(which) ?? askPassphrase(world, values, which);
        given.set(which, asked);
        return asked;
      },
    });
    const { before, after } = changed;
    if (values.json === true) return world.stdout.write(jsonLine(changed));
    world.stdout.write(
      `What opens ${printable(dataDir)} was kept by: ${printable(before)}; now by: ${printable(after)}.\n` +
        'Start the server once to see that it does, then destroy what is left of the old way.\n' +
        'What to do when that is lost: holdfast keys escrow\n',
    );
  },
);

const TEXTS = {
  file: 'A file in the data folder',
  passphrase: 'A passphrase',
  pkcs11: 'A PKCS#11 token',
  'aws-kms': 'AWS KMS',
  vault: 'Vault or OpenBao',
} as const;
