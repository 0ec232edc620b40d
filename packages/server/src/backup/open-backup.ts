/** Opens a backup: its keys, and the manifest that they open. @module */
import { DatabaseSync } from 'node:sqlite';
import type { Bucket } from '../buckets/index.ts';
import {
  KEYRING_SCHEMA,
  Keyring,
  type KeyringCustody,
  writeKeyTables,
} from '../persistence/index.ts';
import { BackupKey } from './backup-key.ts';
import { absentFault, oldKeysFault } from './faults.ts';
import {
  type Erasure,
  KEYS_OBJECT,
  type KeysObject,
  decodeKeys,
  erasuresIn,
} from './keys-object.ts';
import {
  type Manifest,
  type ManifestHead,
  claimedVerifierKey,
  decodeManifest,
  manifestObject,
} from './manifest.ts';
import { manifestsIn, newestHead, requireHead } from './prune.ts';

/** A backup before its keys are at hand. */
export interface FoundBackup {
  readonly head: ManifestHead;
  readonly keys: KeysObject;
  readonly bytes: Buffer;
  /** The public key that verified it. */
  readonly verifierKey: string;
}

/** A backup that can be read. */
export interface OpenedBackup {
  readonly manifest: Manifest;
  readonly keys: KeysObject;
  readonly key: BackupKey;
  readonly erasures: readonly Erasure[];
}

/**
 * Finds a backup.
 * @param id - Without it, the newest.
 * @param verifierKey - Public key of the log; without it a backup can only vouch for itself.
 * @throws Fault `E_BACKUP_NONE`, `E_BACKUP_DAMAGED`, `E_BACKUP_KEYS_OLD`.
 */
export async function findBackup(
  bucket: Bucket,
  { id, verifierKey }: { id?: string | undefined; verifierKey?: string | undefined },
): Promise<FoundBackup> {
  const object = id === undefined ? (await manifestsIn(bucket)).at(-1) : manifestObject(id);
  const bytes = object === undefined ? undefined : await bucket.get(object);
  if (bytes === undefined) {
    throw absentFault(id === undefined ? `no backup in ${bucket.name}` : `no backup ${id}`);
  }
  const key = verifierKey?.trim() ?? claimedVerifierKey(bytes);
  const keys = await bucket.get(KEYS_OBJECT);
  if (keys === undefined) {
    throw absentFault(`no object "keys" in ${bucket.name}, without which no backup opens`);
  }
  const found = {
    head: requireHead(object ?? '', bytes, key),
    keys: decodeKeys(keys, key),
    bytes,
    verifierKey: key,
  };
  // What was erased since is in older keys still.
  const newest = (await newestHead(bucket, key)) ?? found.head;
  const written = Math.max(newest.keysSequence, found.head.keysSequence);
  if (found.keys.sequence < written) throw oldKeysFault(bucket.name);
  return found;
}

/**
 * Opens it with the keys of whoever has the custody.
 * @throws Fault `E_CRYPTO_OPEN` when they are not the keys of this server, `E_BACKUP_DAMAGED`.
 */
export function openBackup(
  { head, keys, bytes, verifierKey }: FoundBackup,
  custody: KeyringCustody,
): OpenedBackup {
  const database = new DatabaseSync(':memory:');
  try {
    database.exec(KEYRING_SCHEMA);
    writeKeyTables(database, keys.tables);
    const keyring = new Keyring(database, custody);
    const keyOf = (ref: number): BackupKey => new BackupKey(ref, keyring.byRef(ref).key);
    const key = keyOf(head.keyRef);
    const manifest = decodeManifest(bytes, { key, verifierKey });
    return { manifest, keys, key, erasures: erasuresIn(keys, keyOf(keys.keyRef)) };
  } finally {
    database.close();
  }
}
