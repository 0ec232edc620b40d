/** `fw key make|show|list`: the keys of people who sign firmware. @module */
import { basename } from 'node:path';
import {
  type KeyAlgorithm,
  SignerName,
  type SignerKeyFile,
  keyAlgorithm,
  publicSignerText,
} from '@holdfast/firmware';
import { PASSPHRASE_LENGTH } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { readSigner } from '../firmware/files.ts';
import { type KeySecrets, askPassphrase } from '../firmware/key-source.ts';
import { localTime, spanText } from '../local-time.ts';
import { writeNew } from '../new-file.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';
import { SECRET_OPTIONS } from './custody-options.ts';
import { pinSource } from './token-options.ts';

/** Makes a key. */
export const fwKeyMake: Command = defineCommand(
  {
    path: 'fw key make',
    summary: 'make your key for signing firmware; needs no server',
    details:
      'Writes FILE, sealed under a passphrase, and FILE.pub.json for the others. With\n' +
      '--pkcs11-module and --pkcs11-token the key is made in the token, where it stays,\n' +
      'and FILE only says where it is. Make it on a machine that is not the server.',
    arguments: ['file'],
    options: {
      type: {
        type: 'string',
        value: 'TYPE',
        help: 'ed25519 or ecdsa-p256 (default ed25519; a token has ecdsa-p256)',
      },
      name: { type: 'string', value: 'NAME', help: 'whose it is (default: name of the file)' },
      'pkcs11-module': {
        type: 'string',
        value: 'PATH',
        help: 'the shared library that speaks to the token',
      },
      'pkcs11-token': { type: 'string', value: 'LABEL', help: 'label of the token' },
      ...SECRET_OPTIONS,
      json: JSON_OPTION,
    },
    examples: ['fw key make alice.key', 'fw key make rel1.key --type ecdsa-p256'],
  },
  async (world, { values, positionals: [path = ''] }) => {
    const name = nameOf(path, values.name);
    const algorithm = algorithmOf(values.type, values['pkcs11-token'] !== undefined);
    const publicPath = `${path.replace(/\.key$/u, '')}.pub.json`;
    const file = await makeKey(world, { path, name, algorithm, values });
    writeNew(path, `${JSON.stringify(file, undefined, 2)}\n`);
    writeNew(publicPath, publicSignerText(file), { mode: 0o644 });
    const { key } = readSigner(publicPath);
    const { stdout } = world;
    if (values.json === true) {
      return stdout.write(jsonLine({ name, keyId: key.keyID, algorithm, path, publicPath }));
    }
    stdout.write(
      `The key of ${name} (${algorithm}) is in ${printable(path)}${file.token ? "'s token" : ''}.\n` +
        `Its id is ${key.keyID}.\n` +
        `Give ${printable(publicPath)} to whoever runs the server, and read them the id yourself.\n` +
        (file.token
          ? ''
          : 'Keep a copy of the key elsewhere, and the passphrase apart from both.\n'),
    );
  },
);

/** Shows a key. */
export const fwKeyShow: Command = defineCommand(
  {
    path: 'fw key show',
    summary: 'show the name and id of a key; needs neither server nor passphrase',
    arguments: ['file'],
    options: { json: JSON_OPTION },
    examples: ['fw key show alice.pub.json'],
  },
  async (world, { values, positionals: [path = ''] }) => {
    const { key, name } = readSigner(path);
    const shown = { name, keyId: key.keyID, algorithm: keyAlgorithm(key) };
    if (values.json === true) return world.stdout.write(jsonLine(shown));
    world.stdout.write(`${shown.name}  ${shown.algorithm}  ${shown.keyId}\n`);
  },
);

/** Lists the roles, who signs them, and when they end. */
export const fwKeyList: Command = defineCommand(
  {
    path: 'fw key list',
    summary: 'list who signs which role, and when each ends',
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['fw key list'],
  },
  async (world, { values }) => {
    const status = await withClient(world, values.data, (client) => client.firmwareStatus());
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine(status));
    if (!status.isInitialized) {
      return stdout.write('There are no keys yet. How to begin: holdfast fw init --help\n');
    }
    const paint = paintFor(stdout);
    const rows = status.roles.map((role) => {
      const names = role.signers.map(({ name, keyId }) =>
        name === '' ? `server ${keyId.slice(0, 8)}` : printable(name),
      );
      const left = spanText(Date.parse(role.expiresAt) - world.nowMs());
      const end = `until ${localTime(role.expiresAt, world.timeZone).slice(0, 16)} (${left})`;
      return [
        role.repository,
        role.role,
        `version ${role.version}`,
        role.isEndingSoon ? paint.bad(`${end} !`) : end,
        `${role.threshold} of ${names.join(', ')}`,
      ];
    });
    stdout.write(table(rows));
    if (status.roles.some((role) => role.isEndingSoon && !isOnline(role.role))) {
      stdout.write('Something ends soon. To let people sign it anew: holdfast fw renew\n');
    }
  },
);

function isOnline(role: string): boolean {
  return role === 'snapshot' || role === 'timestamp';
}

async function makeKey(
  world: World,
  wanted: {
    readonly path: string;
    readonly name: string;
    readonly algorithm: KeyAlgorithm;
    readonly values: KeySecrets & {
      readonly 'pkcs11-module'?: string | undefined;
      readonly 'pkcs11-token'?: string | undefined;
    };
  },
): Promise<SignerKeyFile> {
  const { path, name, algorithm, values } = wanted;
  const { 'pkcs11-module': module, 'pkcs11-token': label } = values;
  if ((module === undefined) !== (label === undefined)) {
    throw usageFailure('A token needs both.', 'Give --pkcs11-module and --pkcs11-token.');
  }
  if (module !== undefined && label !== undefined) {
    const { makeTokenSigner } = await world.device();
    const token = await makeTokenSigner({ module, label, pin: pinSource(world, values) });
    const publicKey = token.publicKey.export({ format: 'pem', type: 'spki' });
    token.close();
    return { type: 'holdfast-signer-key/1', name, publicKey, token: { module, uri: token.uri } };
  }
  const passphrase = await newPassphrase(world, path, values);
  const { makeSignerKey } = await world.server();
  return makeSignerKey({ name, algorithm, passphrase });
}

/** Asks for the passphrase of a new key, twice where it is typed. */
export async function newPassphrase(
  world: World,
  path: string,
  values: KeySecrets,
): Promise<string> {
  const passphrase = await askPassphrase(world, values, `Passphrase for ${path}: `);
  const { min, max } = PASSPHRASE_LENGTH;
  if (passphrase.length < min || passphrase.length > max) {
    throw new Failure('E_CLI_PASSWORD', {
      what: `A passphrase has ${min} to ${max} characters.`,
      why: 'What protects a signing key must not be guessed, nor too long to be typed.',
      fix: 'Take five random words, for example.',
    });
  }
  const isTyped = values['passphrase-fd'] === undefined && values['passphrase-file'] === undefined;
  if (isTyped && (await world.input.askHidden('Once more: ')) !== passphrase) {
    throw new Failure('E_CLI_PASSWORD', {
      what: 'The two are not the same; no key was made.',
      why: 'A passphrase with a slip of the finger would lock you out for good.',
      fix: 'Run the command again.',
    });
  }
  return passphrase;
}

function nameOf(path: string, given: string | undefined): string {
  const name = given ?? basename(path).replace(/\.key$/u, '');
  if (SignerName.safeParse(name).success) return name;
  throw usageFailure(
    `"${name}" is no name: 1 to 64 of A-Z a-z 0-9 . _ @ -, the first a letter or digit.`,
    'Give --name NAME.',
  );
}

function algorithmOf(given: string | undefined, isInToken: boolean): KeyAlgorithm {
  const type = given ?? (isInToken ? 'ecdsa-p256' : 'ed25519');
  if (type === 'ecdsa-p256' || (type === 'ed25519' && !isInToken)) return type;
  throw usageFailure(
    isInToken ? 'In a token a key is ecdsa-p256.' : `There is no type "${type}".`,
    'Give --type ed25519 or --type ecdsa-p256.',
  );
}
