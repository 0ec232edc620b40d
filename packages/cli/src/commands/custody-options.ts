/** Options of commands that choose or open the custody of a data folder. @module */
import type { AskSecrets, CustodyChoice } from '@holdfast/server';
import type { OptionSet } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { readSecret, typeOnceMore } from '../secret-source.ts';
import type { World } from '../world.ts';
import { PIN_OPTIONS, pinSource } from './token-options.ts';

/** How the secret that opens the keys is given; without these it is asked for, where one is needed. */
export const SECRET_OPTIONS = {
  'passphrase-fd': {
    type: 'string',
    value: 'N',
    help: 'read the passphrase from file descriptor N',
  },
  'passphrase-file': {
    type: 'string',
    value: 'FILE',
    help: 'read the passphrase from a file that only you can read',
  },
  ...PIN_OPTIONS,
} as const satisfies OptionSet;

/** Where the keepers are. */
export const KEEPER_OPTIONS = {
  'kms-key': { type: 'string', value: 'KEY', help: 'id, ARN or alias of the key in AWS KMS' },
  'kms-region': { type: 'string', value: 'REGION', help: 'region of AWS KMS' },
  'kms-endpoint': { type: 'string', value: 'URL', help: 'https: address of a KMS of your own' },
  'kms-ca': { type: 'string', value: 'FILE', help: 'PEM authority of that KMS' },
  'kms-credentials': {
    type: 'string',
    value: 'FILE',
    help: 'JSON with accessKeyId and secretAccessKey, mode 0600 (default: as the AWS SDK does)',
  },
  'vault-url': { type: 'string', value: 'URL', help: 'https: address of Vault or OpenBao' },
  'vault-mount': { type: 'string', value: 'PATH', help: 'mount of its transit (default transit)' },
  'vault-key': { type: 'string', value: 'NAME', help: 'name of the transit key' },
  'vault-token-file': { type: 'string', value: 'FILE', help: 'file with the token, mode 0600' },
  'vault-ca': { type: 'string', value: 'FILE', help: 'PEM authority of that Vault' },
} as const satisfies OptionSet;

/** Who is to hold the keys of a new data folder; it remembers them. */
export const CUSTODY_OPTIONS = {
  custody: {
    type: 'string',
    value: 'KIND',
    help: 'for a new data folder, who keeps its keys: file, passphrase, pkcs11, aws-kms or vault (default file)',
  },
  'pkcs11-module': {
    type: 'string',
    value: 'PATH',
    help: 'the shared library that speaks to the token',
  },
  'pkcs11-token': { type: 'string', value: 'LABEL', help: 'label of the token' },
  ...KEEPER_OPTIONS,
  ...SECRET_OPTIONS,
} as const satisfies OptionSet;

type Values = Readonly<Partial<Record<keyof typeof CUSTODY_OPTIONS, string | undefined>>>;

/** The custody that was named. @throws Failure `E_CLI_USAGE` when a part is missing or too much. */
export function custodyOf(values: Values): CustodyChoice | undefined {
  const { custody } = values;
  requireNoOthers(custody, values);
  if (custody === undefined) return undefined;
  if (custody === 'pkcs11') return tokenOf(values);
  return keeperOf(custody, values);
}

/** A custody other than a token. @throws Failure `E_CLI_USAGE` */
export function keeperOf(kind: string, values: Values): Exclude<CustodyChoice, { kind: 'pkcs11' }> {
  if (kind === 'file' || kind === 'passphrase') return { kind };
  if (kind === 'aws-kms') return { kind, place: kmsOf(values) };
  if (kind === 'vault') return { kind, place: vaultOf(values) };
  throw usageFailure(
    `There is no custody "${kind}".`,
    'There are file, passphrase, pkcs11, aws-kms and vault.',
  );
}

/** Asks for what opens the keys in the way that was named, when it is needed, and once. */
export function askSecrets(world: World, values: Values): Required<AskSecrets> {
  let given: Promise<string> | undefined;
  const ask = (which: 'present' | 'new') => askPassphrase(world, values, which);
  return {
    askPin: pinSource(world, values),
    askPassphrase: (which) => (given ??= ask(which)),
  };
}

/** Characters of a passphrase that guards everything. */
const PASSPHRASE_MIN = 15;

/**
 * Asks for a passphrase; a new one that is typed, twice.
 * @throws Failure `E_CLI_PASSWORD` when a new one is short, or the two differ.
 */
export async function askPassphrase(
  world: World,
  values: Values,
  which: 'present' | 'new',
): Promise<string> {
  const { 'passphrase-fd': fd, 'passphrase-file': file } = values;
  const source = {
    what: 'passphrase',
    fd: { option: 'passphrase-fd', value: fd },
    file: { option: 'passphrase-file', value: file },
  };
  const question =
    which === 'new' ? 'New passphrase of the data folder: ' : 'Passphrase of the data folder: ';
  const passphrase = await readSecret(world, source, question);
  if (which === 'present') return passphrase;
  if (passphrase.length < PASSPHRASE_MIN) {
    throw new Failure('E_CLI_PASSWORD', {
      what: `A passphrase has ${PASSPHRASE_MIN} characters at least.`,
      why: 'Whoever has a copy of the data folder can try passphrases for as long as they like.',
      fix: 'Take five random words, for example.',
    });
  }
  const isTyped = fd === undefined && file === undefined;
  if (isTyped) await typeOnceMore(world, passphrase);
  return passphrase;
}

function kmsOf(values: Values) {
  const { 'kms-key': keyId, 'kms-region': region, 'kms-endpoint': endpoint } = values;
  const { 'kms-ca': caFile, 'kms-credentials': credentialsFile } = values;
  if (keyId === undefined || region === undefined) {
    throw usageFailure(
      'Custody by AWS KMS needs a key and its region.',
      'For example: --kms-key alias/holdfast --kms-region eu-central-1',
    );
  }
  requireHttps(endpoint, 'kms-endpoint');
  return { keyId, region, endpoint, caFile, credentialsFile };
}

function vaultOf(values: Values) {
  const { 'vault-url': url, 'vault-key': key, 'vault-token-file': tokenFile } = values;
  const { 'vault-mount': mount = 'transit', 'vault-ca': caFile } = values;
  if (url === undefined || key === undefined || tokenFile === undefined) {
    throw usageFailure(
      'Custody by Vault needs its address, a transit key and a token.',
      'For example: --vault-url https://vault.example.com:8200 --vault-key holdfast --vault-token-file token',
    );
  }
  requireHttps(url, 'vault-url');
  return { url, mount, key, tokenFile, caFile };
}

function requireHttps(url: string | undefined, option: string): void {
  if (url === undefined || URL.parse(url)?.protocol === 'https:') return;
  throw usageFailure(
    `--${option} is no https: address.`,
    'The keys of everything go over it: it has to be TLS.',
  );
}

function tokenOf({ 'pkcs11-module': module, 'pkcs11-token': label }: Values) {
  if (module !== undefined && label !== undefined)
    return { kind: 'pkcs11', module, label } as const;
  throw usageFailure(
    'Custody in a token needs its module and its label.',
    'For example: --pkcs11-module /usr/lib/softhsm/libsofthsm2.so --pkcs11-token holdfast',
  );
}

/** A place that is named without its custody, or with another one, would be passed over. */
function requireNoOthers(custody: string | undefined, values: Values): void {
  const places = { 'pkcs11-': 'pkcs11', 'kms-': 'aws-kms', 'vault-': 'vault' };
  for (const name of Object.keys(values)) {
    if (values[name as keyof Values] === undefined || name.startsWith('pkcs11-pin')) continue;
    const kind = Object.entries(places).find(([prefix]) => name.startsWith(prefix))?.[1];
    if (kind === undefined || kind === custody) continue;
    throw usageFailure(
      `--${name} is given, but not what it is for.`,
      `Give --custody ${kind} for a new data folder; an old one remembers who keeps its keys.`,
    );
  }
}
