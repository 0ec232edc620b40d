/** `fw boot-key make`: the key that signs images for boot loaders. @module */
import { basename } from 'node:path';
import { readBootKey } from '@holdfast/firmware';
import { JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { accepted } from '../firmware/accepted.ts';
import { writeNew } from '../new-file.ts';
import { jsonLine, printable } from '../printable.ts';
import { SECRET_OPTIONS } from './custody-options.ts';
import { newPassphrase } from './fw-key.ts';

const { 'passphrase-fd': passphraseFd, 'passphrase-file': passphraseFile } = SECRET_OPTIONS;

/** Makes the key of a boot loader. */
export const fwBootKeyMake: Command = defineCommand(
  {
    path: 'fw boot-key make',
    summary: 'make the key that signs FIT images for U-Boot; needs no server',
    details:
      'RSA with 3,072 bits, because U-Boot checks no Ed25519. Writes FILE, sealed under a\n' +
      'passphrase, and FILE.pub.pem, which goes into the control tree of the boot loader.\n' +
      'A boot loader in ROM trusts it for as long as the device lives: make it on a machine\n' +
      'that is not the server, and keep a copy.',
    arguments: ['file'],
    options: {
      name: { type: 'string', value: 'NAME', help: 'name in images (default: name of the file)' },
      'passphrase-fd': passphraseFd,
      'passphrase-file': passphraseFile,
      json: JSON_OPTION,
    },
    examples: ['fw boot-key make boot.key'],
  },
  async (world, { values, positionals: [path = ''] }) => {
    const name = values.name ?? basename(path).replace(/\.key$/u, '');
    const publicPath = `${path.replace(/\.key$/u, '')}.pub.pem`;
    const passphrase = await newPassphrase(world, path, values);
    const { makeBootKey } = await world.server();
    const file = await makeBootKey({ name, passphrase });
    accepted(readBootKey(name, file.publicKey), `--name ${name}`);
    writeNew(path, `${JSON.stringify(file, undefined, 2)}\n`);
    writeNew(publicPath, file.publicKey, { mode: 0o644 });
    if (values.json === true) return world.stdout.write(jsonLine({ name, path, publicPath }));
    world.stdout.write(
      `The boot key ${printable(name)} is in ${printable(path)}.\n` +
        `Put ${printable(publicPath)} into the boot loader: docs/guides/firmware.md, Trusted boot.\n` +
        'Keep a copy of the key elsewhere, and the passphrase apart from both.\n',
    );
  },
);
