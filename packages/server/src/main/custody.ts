/** Opens the keys of a data folder, whoever holds them. @module */
import { timingSafeEqual } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  type KeyCustody,
  Token,
  type TokenPlace,
  UNSEAL_KEY_BYTES,
  isUnsealKeyCopy,
  loadPkcs11Driver,
  loadUnsealKey,
  makeTokenKek,
  newTokenKeyId,
  removeUnsealKey,
  softwareCustody,
  tokenCustody,
} from '../crypto/index.ts';
import { Fault, Secret, type SecretBytes } from '../kernel/index.ts';
import type { KeyringCustody } from '../persistence/index.ts';
import {
  type CustodyFile,
  type KeeperCustodyFile,
  type TokenCustodyFile,
  readCustodyFile,
  writeCustodyFile,
} from './custody-file.ts';
import type { DataFolder } from './data-folder.ts';
import {
  type AskPin,
  type CustodyChoice,
  type KeeperChoice,
  type KeeperOptions,
  keeperOf,
  newKeeperFile,
} from './keepers.ts';
import { FiledTokenKeks } from './token-keks.ts';

export type { AskPin } from './keepers.ts';

/** The opened custody of a data folder. */
export interface Custody {
  /** Holds the key-encryption key. */
  readonly keys: KeyringCustody;
  /** Holds the issuing keys. */
  readonly issuing: KeyCustody;
  /** For people: `data folder`, `passphrase`, `token <label>`. */
  readonly name: string;
  /** Lets go of the token; nothing can be opened or issued after it. */
  close(): void;
}

/** What opening needs. */
export interface OpenCustodyOptions extends KeeperOptions {
  /** Only for a new data folder: it remembers who holds its keys. */
  readonly custody?: CustodyChoice | undefined;
  readonly askPin?: AskPin | undefined;
}

/**
 * Opens the custody that a data folder names; a new folder gets one. Nothing falls back to keys in
 * the folder when a token or another keeper cannot be asked.
 * @throws Fault `E_CRYPTO_UNSEAL_…`, `E_CRYPTO_TOKEN…`, `E_CRYPTO_KEEPER…`, `E_CRYPTO_OPEN`,
 *   `E_MAIN_CUSTODY`, `E_MAIN_CUSTODY_FILE` or `E_MAIN_PASSPHRASE`.
 */
export async function openCustody(
  folder: DataFolder,
  options: OpenCustodyOptions,
): Promise<Custody> {
  const { custody: wanted = { kind: 'file' } } = options;
  const file = existsSync(folder.custody) ? readCustodyFile(folder.custody) : undefined;
  if (!folder.isNew) {
    if (options.custody !== undefined) requireSame(folder, options.custody, file);
    if (file?.kind === 'pkcs11') return openTokenCustody(folder, file, options);
    return softwareKeys(await openUnsealKey(folder, options), options);
  }
  if (wanted.kind === 'pkcs11') return makeTokenCustody(folder, wanted, options);
  if (wanted.kind !== 'file') return softwareKeys(await makeKept(folder, wanted, options), options);
  const key = loadUnsealKey(folder.unsealKey, { isNew: true, random: options.random });
  return softwareKeys({ key, name: FILE_NAME }, options);
}

/** The unseal key, and who kept it. */
export interface OpenedUnsealKey {
  readonly key: SecretBytes;
  readonly name: string;
}

/**
 * Opens the unseal key of a folder that has one. Where a keeper holds it, no copy stays in the
 * folder: one that a change of custody left when it was interrupted is removed.
 * @throws as {@link openCustody}; `E_MAIN_CUSTODY` when the keys are in a token.
 */
export async function openUnsealKey(
  folder: DataFolder,
  options: KeeperOptions,
): Promise<OpenedUnsealKey> {
  if (!existsSync(folder.custody)) {
    const key = loadUnsealKey(folder.unsealKey, { isNew: false, random: options.random });
    return { key, name: FILE_NAME };
  }
  const file = readCustodyFile(folder.custody);
  if (file.kind === 'pkcs11') throw inTokenFault(folder, file);
  const keeper = await keeperOf(file, options);
  const key = await keeper.unwrap(file.wrapped);
  if (existsSync(folder.unsealKey)) removeCopy(folder, key);
  return { key, name: keeper.name };
}

/** Another key may be the right one, beside the wrong custody.json: it is not ours to destroy. */
function removeCopy(folder: DataFolder, key: SecretBytes): void {
  if (isUnsealKeyCopy(folder.unsealKey, key)) return removeUnsealKey(folder.unsealKey);
  throw new Fault({
    code: 'E_MAIN_CUSTODY',
    what: `${folder.unsealKey} is another key than the one that ${folder.custody} opens.`,
    fix: 'Find out which of the two opens this folder, and keep the other one elsewhere.',
  });
}

/**
 * Gives an unseal key to a keeper, and asks for it back before anything relies on it.
 * @throws as {@link openCustody}.
 */
export async function keepUnsealKey(
  key: SecretBytes,
  choice: KeeperChoice,
  options: KeeperOptions,
): Promise<{ file: KeeperCustodyFile; name: string }> {
  const described = newKeeperFile(choice, options);
  const keeper = await keeperOf(described, options, 'new');
  const file = { ...described, wrapped: await keeper.wrap(key) };
  const kept = await keeper.unwrap(file.wrapped);
  if (timingSafeEqual(kept.expose(), key.expose())) return { file, name: keeper.name };
  throw new Fault({
    code: 'E_CRYPTO_KEEPER_ANSWER',
    what: `${keeper.name} gave back another key than it was given.`,
    fix: 'Do not use it. Nothing was changed.',
  });
}

async function makeKept(
  folder: DataFolder,
  choice: KeeperChoice,
  options: KeeperOptions,
): Promise<OpenedUnsealKey> {
  const key = new Secret(options.random(UNSEAL_KEY_BYTES));
  const { file, name } = await keepUnsealKey(key, choice, options);
  writeCustodyFile(folder.custody, file);
  return { key, name };
}

function softwareKeys({ key, name }: OpenedUnsealKey, { random }: KeeperOptions): Custody {
  return { keys: { unsealKey: key, random }, issuing: softwareCustody, name, close: () => {} };
}

async function makeTokenCustody(
  folder: DataFolder,
  { module, label }: TokenPlace,
  options: OpenCustodyOptions,
): Promise<Custody> {
  const token = await openToken({ module, label }, options);
  try {
    const id = newTokenKeyId(options.random);
    makeTokenKek(token, id);
    const keks = [id.toString('hex')];
    const file: TokenCustodyFile = { version: 1, kind: 'pkcs11', module, label, keks };
    const custody = custodyIn(token, { folder, file }, options);
    writeCustodyFile(folder.custody, file);
    return custody;
  } catch (error) {
    token.close();
    throw error;
  }
}

async function openTokenCustody(
  folder: DataFolder,
  file: TokenCustodyFile,
  options: OpenCustodyOptions,
): Promise<Custody> {
  const token = await openToken(file, options);
  try {
    return custodyIn(token, { folder, file }, options);
  } catch (error) {
    token.close();
    throw error;
  }
}

function custodyIn(
  token: Token,
  { folder, file }: { folder: DataFolder; file: TokenCustodyFile },
  { random }: OpenCustodyOptions,
): Custody {
  const save = (changed: TokenCustodyFile): void => writeCustodyFile(folder.custody, changed);
  return {
    keys: { token: new FiledTokenKeks(token, { file, save, random }), random },
    issuing: tokenCustody(token, { random }),
    name: `token ${file.label}`,
    close: () => token.close(),
  };
}

async function openToken(place: TokenPlace, { askPin }: OpenCustodyOptions): Promise<Token> {
  const { module, label } = place;
  const driver = await loadPkcs11Driver();
  if (askPin === undefined) {
    throw new Fault({
      code: 'E_CRYPTO_TOKEN_PIN',
      what: `The keys of this data folder are in the token "${label}", and nobody gave its PIN.`,
      fix: 'Start it on a terminal, or give the PIN by --pkcs11-pin-fd or --pkcs11-pin-file.',
    });
  }
  return Token.open(driver, { module, label }, new Secret(await askPin(label)));
}

function requireSame(
  folder: DataFolder,
  wanted: CustodyChoice,
  file: CustodyFile | undefined,
): void {
  const kind = file?.kind ?? 'file';
  const isSame =
    file?.kind === 'pkcs11' && wanted.kind === 'pkcs11'
      ? file.label === wanted.label && file.module === wanted.module
      : kind === wanted.kind;
  if (isSame) return;
  throw new Fault({
    code: 'E_MAIN_CUSTODY',
    what: `The keys of ${folder.path} are kept by ${placeText(file)}.`,
    fix:
      kind === 'pkcs11' || wanted.kind === 'pkcs11'
        ? 'Start without --custody, or with another data folder.'
        : `Start without --custody. To change it, stop the server and run: holdfast keys set-custody ${wanted.kind}`,
  });
}

function placeText(file: CustodyFile | undefined): string {
  if (file === undefined) return 'a file in it';
  return file.kind === 'pkcs11' ? `the token "${file.label}" (module ${file.module})` : file.kind;
}

function inTokenFault(folder: DataFolder, { label }: TokenCustodyFile): Fault {
  return new Fault({
    code: 'E_MAIN_CUSTODY',
    what: `The keys of ${folder.path} are in the token "${label}", and cannot leave it.`,
    fix: 'Keep a second token, made as its vendor describes: it is the only copy there can be.',
  });
}

const FILE_NAME = 'data folder';
