/** Changes who keeps the keys of a stopped data folder. Nothing that is sealed is touched. @module */
import { existsSync, rmSync } from 'node:fs';
import { UNSEAL_KEY_BYTES, loadUnsealKey, syncFolder, writeUnsealKey } from '../crypto/index.ts';
import { Fault, type SecretBytes, systemRandom } from '../kernel/index.ts';
import { Keyring, STORE_FORMAT, lockFolder, openDatabaseReadOnly } from '../persistence/index.ts';
import { readCustodyFile, writeCustodyFile } from './custody-file.ts';
import { keepUnsealKey, openUnsealKey } from './custody.ts';
import { type DataFolder, dataFolderAt } from './data-folder.ts';
import type { AskPassphrase, CustodyChoice } from './keepers.ts';
import { noteOfflineAct } from './offline-acts.ts';

/** What to change. */
export interface ChangeCustodyOptions {
  readonly dataDir: string;
  readonly to: Exclude<CustodyChoice, { kind: 'pkcs11' }>;
  readonly askPassphrase?: AskPassphrase | undefined;
}

/** Who kept the keys, and who keeps them now; for people. */
export interface ChangedCustody {
  readonly before: string;
  readonly after: string;
}

/**
 * Gives the unseal key to another keeper. It is asked back before the one before loses it, and at
 * every moment one of the two opens the folder.
 * @throws Fault as `openCustody`, or `E_PERSISTENCE_IN_USE` while a server runs.
 */
export async function changeCustody(options: ChangeCustodyOptions): Promise<ChangedCustody> {
  const folder = existingFolder(options.dataDir);
  const lock = lockFolder(folder.path);
  try {
    const random = systemRandom;
    const { askPassphrase, to } = options;
    const { key, name: before } = await openUnsealKey(folder, { random, askPassphrase });
    requireOpens(folder, key);
    let after = 'data folder';
    // First: no crash leaves a keeper of which the log says nothing.
    const note = (): void =>
      noteOfflineAct(folder, { action: 'keys.change-custody', facts: { before, after } });
    if (to.kind === 'file') {
      note();
      writeUnsealKey(folder.unsealKey, key);
      loadUnsealKey(folder.unsealKey, { isNew: false, random });
      rmSync(folder.custody, { force: true });
      syncFolder(folder.path);
    } else {
      const askNew: AskPassphrase | undefined = askPassphrase && (() => askPassphrase('new'));
      const kept = await keepUnsealKey(key, to, { random, askPassphrase: askNew });
      after = kept.name;
      note();
      writeCustodyFile(folder.custody, kept.file);
      // Opens by the new keeper, as every start will, and removes the file that held the key.
      requireOpens(folder, (await openUnsealKey(folder, { random, askPassphrase: askNew })).key);
    }
    return { before, after };
  } finally {
    lock.release();
  }
}

/** Who keeps the keys of a folder, for people, without opening anything. */
export function custodyOfFolder(dataDir: string): { kind: CustodyChoice['kind']; name: string } {
  const folder = existingFolder(dataDir);
  if (!existsSync(folder.custody)) return { kind: 'file', name: folder.unsealKey };
  const file = readCustodyFile(folder.custody);
  if (file.kind === 'pkcs11') return { kind: file.kind, name: `token ${file.label}` };
  if (file.kind === 'passphrase') return { kind: file.kind, name: 'passphrase' };
  if (file.kind === 'vault')
    return { kind: file.kind, name: `${file.place.mount}/${file.place.key}` };
  return { kind: file.kind, name: file.place.keyId };
}

/** Proves that an unseal key is the one of a folder. @throws Fault `E_CRYPTO_OPEN` */
export function requireOpens(folder: DataFolder, unsealKey: SecretBytes): void {
  if (unsealKey.expose().length !== UNSEAL_KEY_BYTES) throw new RangeError('no unseal key');
  const registry = openDatabaseReadOnly(folder.registry, STORE_FORMAT);
  try {
    void new Keyring(registry.database, { unsealKey, random: systemRandom });
  } finally {
    registry.close();
  }
}

/** @throws Fault `E_MAIN_NO_DATA` */
export function existingFolder(dataDir: string): DataFolder {
  const folder = dataFolderAt(dataDir);
  if (existsSync(folder.registry)) return folder;
  throw new Fault({
    code: 'E_MAIN_NO_DATA',
    what: `There is no ${folder.registry}: this is no data folder of Holdfast.`,
    fix: 'Name the folder with --data.',
  });
}
