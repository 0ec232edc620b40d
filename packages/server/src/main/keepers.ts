/** The keepers of the unseal key: how each is named, made and asked. @module */
import {
  type KmsPlace,
  type TokenPlace,
  type UnsealCustody,
  type VaultPlace,
  kmsCustody,
  newPassphraseParameters,
  passphraseCustody,
  vaultCustody,
} from '../crypto/index.ts';
import { Fault, type RandomBytes } from '../kernel/index.ts';
import type { KeeperCustodyFile } from './custody-file.ts';

/** Who is to hold the keys of a data folder. */
export type CustodyChoice =
  | { readonly kind: 'file' }
  | ({ readonly kind: 'pkcs11' } & TokenPlace)
  | KeeperChoice;

/** A keeper of the unseal key outside the folder. */
export type KeeperChoice =
  | { readonly kind: 'passphrase' }
  | { readonly kind: 'aws-kms'; readonly place: KmsPlace }
  | { readonly kind: 'vault'; readonly place: VaultPlace };

/** Asks a person, or whoever stands in for one, for the PIN of the token with this label. */
export type AskPin = (label: string) => Promise<string>;

/** Asks for the passphrase of a data folder: the one it has, or one that is about to count. */
export type AskPassphrase = (which: 'present' | 'new') => Promise<string>;

/** Who asks for what opens the keys of a data folder. */
export interface AskSecrets {
  readonly askPin?: AskPin | undefined;
  readonly askPassphrase?: AskPassphrase | undefined;
}

/** Whom a keeper may ask. */
export interface KeeperOptions {
  readonly random: RandomBytes;
  readonly askPassphrase?: AskPassphrase | undefined;
}

/** What a new keeper's file says before the key is wrapped. */
export type UnwrappedFile = KeeperCustodyFile extends infer F
  ? F extends KeeperCustodyFile
    ? Omit<F, 'wrapped'>
    : never
  : never;

/** Describes a keeper that was chosen just now. */
export function newKeeperFile(choice: KeeperChoice, { random }: KeeperOptions): UnwrappedFile {
  const folderId = Buffer.from(random(FOLDER_ID_BYTES)).toString('hex');
  if (choice.kind !== 'passphrase') return { version: 1, folderId, ...choice };
  return { version: 1, folderId, kind: 'passphrase', parameters: newPassphraseParameters(random) };
}

/** The keeper that a file describes. `which` passphrase it asks for, if it asks. */
export function keeperOf(
  file: UnwrappedFile,
  { random, askPassphrase }: KeeperOptions,
  which: 'present' | 'new' = 'present',
): UnsealCustody | Promise<UnsealCustody> {
  const { folderId } = file;
  if (file.kind === 'aws-kms') return kmsCustody(file.place, folderId);
  if (file.kind === 'vault') return vaultCustody(file.place, folderId);
  if (askPassphrase === undefined) throw nobodyToAsk();
  const ask = (): Promise<string> => askPassphrase(which);
  return passphraseCustody({ folderId, parameters: file.parameters, ask, random });
}

function nobodyToAsk(): Fault {
  return new Fault({
    code: 'E_MAIN_PASSPHRASE',
    what: 'The keys of this data folder are under a passphrase, and nobody gave it.',
    fix: 'Start it on a terminal, or give it by --passphrase-fd or --passphrase-file.',
  });
}

const FOLDER_ID_BYTES = 16;
