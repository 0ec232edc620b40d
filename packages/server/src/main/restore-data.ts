/** Restores a data folder from a backup, and verifies it. @module */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Refusal } from '@holdfast/protocol';
import { z } from 'zod';
import {
  type FoundBackup,
  type OpenedBackup,
  findBackup,
  openBackup,
  restoreArtifacts,
  restoreDatabase,
} from '../backup/index.ts';
import { type Bucket, BucketOpener, type S3Place, folderBucket } from '../buckets/index.ts';
import { writeSecretFile } from '../crypto/index.ts';
import { Fault, systemRandom } from '../kernel/index.ts';
import { transaction, writeKeyTables } from '../persistence/index.ts';
import { chunkName } from '../update/index.ts';
import { type AskSecrets, askedOnce } from './ask-once.ts';
import { openCustody } from './custody.ts';
import { type DataFolder, dataFolderAt } from './data-folder.ts';
import { type RestoredFacts, settleRestored } from './settle-restored.ts';
import { type VerifyReport, verifyData } from './verify-data.ts';

/** What to restore, and where. */
export interface RestoreOptions extends AskSecrets {
  /** `folder:/path`, or what else the server could name. */
  readonly from: string;
  /** Id of a backup; without it, the newest. */
  readonly id?: string | undefined;
  /** Folder to be made; one that is there has to be empty. */
  readonly dataDir: string;
  /** Copy of `unseal.key`, where the keys were kept in a file. */
  readonly unsealKeyFile?: string | undefined;
  /** Public key of the log; without it, the backup vouches for itself. */
  readonly verifierKey?: string | undefined;
  /** How buckets of S3 are reached. */
  readonly s3?: S3Place | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What was restored. */
export interface RestoreReport extends RestoredFacts {
  readonly backup: string;
  /** When it was made, ISO 8601: whatever came after is not there. */
  readonly at: string;
  readonly checkpoint: string;
  readonly verified: VerifyReport;
}

const MARK = 'restore.json';
const OWNER_ONLY_FOLDER = 0o700;
const OTHERS = 0o077;
const CustodyKindSchema = z.object({ kind: z.string() });

/**
 * Restores into a folder beside the one that is wanted, verifies it, and gives it its name then:
 * no folder of that name is ever half restored. Stopped, and called again, it goes on.
 * @throws Fault `E_MAIN_RESTORE_…`, `E_BACKUP_…`, `E_CRYPTO_…`.
 */
export async function restoreData(options: RestoreOptions): Promise<RestoreReport> {
  const target = resolve(options.dataDir);
  requireEmpty(target);
  const bucket = await bucketOf(options);
  const found = await findBackup(bucket, options);
  const staging = openStaging(`${target}.restoring`, found);
  const { folder } = staging;
  placeCustody(folder, found, options);
  const asked = askedOnce(options);
  const custody = await openCustody(
    { ...folder, isNew: false },
    { ...asked, random: systemRandom },
  );
  let opened: OpenedBackup;
  try {
    opened = openBackup(found, custody.keys);
  } finally {
    custody.close();
  }
  // After it, the folder gets keys of its own: what was put there must not be put there again.
  if (!staging.isWritten) await restoreAll(folder, { bucket, opened }, options.onProgress);
  staging.noteWritten();
  const { id, at, checkpoint } = opened.manifest;
  const facts = await settleRestored(folder, { opened, from: options.from, ...asked });
  const verified = await verifyData({
    dataDir: folder.path,
    verifierKey: found.verifierKey,
    ...asked,
  });
  if (!verified.ok) throw unverifiedFault(folder.path, verified);
  if (existsSync(target)) rmdirSync(target);
  renameSync(folder.path, target);
  rmSync(join(target, MARK));
  return { backup: id, at, checkpoint, verified, ...facts };
}

/** A trial of a restore: all that a restore does, in a folder that is removed again. */
export async function drillRestore(
  options: Omit<RestoreOptions, 'dataDir'> & { readonly scratchDir: string },
): Promise<RestoreReport> {
  const dataDir = join(resolve(options.scratchDir), 'drill');
  try {
    return await restoreData({ ...options, dataDir });
  } finally {
    for (const path of [dataDir, `${dataDir}.restoring`]) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

async function restoreAll(
  folder: DataFolder,
  { bucket, opened: { manifest, key, keys } }: { bucket: Bucket; opened: OpenedBackup },
  onProgress: RestoreOptions['onProgress'],
): Promise<void> {
  let done = 0;
  const onChunk = (bytes: number): void => {
    done += bytes;
    onProgress?.(done, manifest.bytes);
  };
  for (const parts of manifest.snapshot.databases) {
    await restoreDatabase(folder[parts.name], parts, { bucket, key, onChunk });
  }
  const { artifacts } = manifest.snapshot;
  if (artifacts !== undefined) {
    const to = folderBucket(folder.firmware);
    await restoreArtifacts(artifacts, { bucket, key, onChunk, to, objectOf: chunkName });
  }
  const registry = new DatabaseSync(folder.registry);
  try {
    transaction(registry, () => writeKeyTables(registry, keys.tables));
  } finally {
    registry.close();
  }
}

async function bucketOf({ from, s3 }: RestoreOptions): Promise<Bucket> {
  const bucket = await new BucketOpener(s3).open(from);
  if (!(bucket instanceof Refusal)) return bucket;
  throw new Fault({
    code: 'E_MAIN_RESTORE_FROM',
    what: `${from} names no backups. ${bucket.detail}`,
    fix: 'Name the destination as it was named for the backup.',
  });
}

function requireEmpty(target: string): void {
  if (!existsSync(target) || readdirSync(target).length === 0) return;
  throw new Fault({
    code: 'E_MAIN_RESTORE_TARGET',
    what: `${target} is not empty.`,
    fix: 'A restore never overwrites anything: name another folder with --data.',
  });
}

/** The folder that is restored into. */
interface Staging {
  readonly folder: DataFolder;
  /** Whether the data and the keys of the backup are all there. */
  readonly isWritten: boolean;
  noteWritten(): void;
}

/** Opens it; one of an earlier attempt is taken up. */
function openStaging(path: string, { head, keys }: FoundBackup): Staging {
  const mark = join(path, MARK);
  const begun = { version: 1, backup: head.id, verifierKey: head.verifierKey };
  // Keys that changed since would have to be brought in: then it is begun again.
  const written = `${JSON.stringify({ ...begun, keys: keys.sequence })}\n`;
  if (!existsSync(path)) {
    mkdirSync(path, { recursive: true, mode: OWNER_ONLY_FOLDER });
    writeSecretFile(mark, `${JSON.stringify(begun)}\n`);
  }
  const found = isOwn(path) && existsSync(mark) ? readFileSync(mark, 'utf8') : undefined;
  const isWritten = found === written;
  if (!isWritten && found !== `${JSON.stringify(begun)}\n`) {
    throw new Fault({
      code: 'E_MAIN_RESTORE_OTHER',
      what: `${path} is not yours alone, or is left from the restore of something else.`,
      fix: 'Look what it is, and remove it.',
    });
  }
  return {
    folder: dataFolderAt(path),
    isWritten,
    noteWritten: () => writeSecretFile(mark, written),
  };
}

/** Keys are about to stand in it: nobody else may have made it, or made another of it. */
function isOwn(path: string): boolean {
  const stat = lstatSync(path);
  const isMine = process.getuid === undefined || stat.uid === process.getuid();
  return stat.isDirectory() && isMine && (stat.mode & OTHERS) === 0;
}

/** Puts what opens the keys where it belongs. */
function placeCustody(
  folder: DataFolder,
  { keys }: FoundBackup,
  { unsealKeyFile, verifierKey }: RestoreOptions,
): void {
  if (unsealKeyFile !== undefined) {
    copyFileSync(unsealKeyFile, folder.unsealKey);
    chmodSync(folder.unsealKey, 0o600);
    // Of an attempt without it, by a keeper that did not open.
    rmSync(folder.custody, { force: true });
  } else if (keys.custody !== null) {
    if (verifierKey === undefined) requireHarmless(keys.custody);
    writeSecretFile(folder.custody, keys.custody);
  } else if (!existsSync(folder.unsealKey)) {
    throw new Fault({
      code: 'E_MAIN_RESTORE_UNSEAL',
      what: 'This backup opens only with the unseal key of its server, which is not part of it.',
      fix: 'Give your copy of unseal.key: --unseal-key FILE. Without it, nothing can be restored.',
    });
  }
}

/**
 * A custody can name a library that is loaded, or a machine that is given a token: whoever could
 * write to the destination must not choose these. Signed by a key that is known, they are ours.
 */
function requireHarmless(custody: string): void {
  if (CustodyKindSchema.parse(JSON.parse(custody)).kind === 'passphrase') return;
  throw new Fault({
    code: 'E_MAIN_RESTORE_KEY',
    what: 'This backup names who keeps its keys, and nothing proves yet that it is yours.',
    fix: 'Give the public key of its log from your own records: --key KEY, or --key @log.pub.',
  });
}

function unverifiedFault(path: string, { findings }: VerifyReport): Fault {
  return new Fault({
    code: 'E_MAIN_RESTORE_CHANGED',
    what: `What was restored is not as it was written: ${findings[0]?.what ?? ''}.`,
    fix: `Try an older backup. What was restored stays in ${path}; see holdfast audit verify.`,
  });
}
