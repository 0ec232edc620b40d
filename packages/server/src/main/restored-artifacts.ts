/** Looks whether the artifacts of a restored folder are what devices are to get. @module */
import { createHash } from 'node:crypto';
import type { BackedUpArtifacts } from '../backup/index.ts';
import { folderBucket } from '../buckets/index.ts';
import { Fault, errorCode } from '../kernel/index.ts';
import { ArtifactStore } from '../update/index.ts';
import type { Context } from './context.ts';
import type { Storage } from './storage.ts';

/** What became of the artifacts in a restore. */
export interface RestoredArtifacts {
  /** How many are there, each proven to be the file that was brought, and their bytes. */
  readonly count: number;
  readonly bytes: number;
  /** Hashes of those that the server knows of, and that were not in the backup. */
  readonly missing: readonly string[];
  /** The bucket that they are kept in, when they were left out of the backup. */
  readonly leftOut?: string | undefined;
  /** False where they were left out, and in backups of versions that copied none. */
  readonly areInBackup: boolean;
}

/**
 * Reads all artifacts that were restored, as a device would get them.
 * @throws Fault `E_MAIN_RESTORE_ARTIFACT` when one is not the file that was brought.
 */
export async function checkArtifacts(
  { clock, random }: Pick<Context, 'clock' | 'random'>,
  { store, folder }: Pick<Storage, 'store' | 'folder'>,
  backedUp: BackedUpArtifacts | undefined,
): Promise<RestoredArtifacts> {
  const bucket = folderBucket(folder.firmware);
  const artifacts = new ArtifactStore({ clock, random, store, bucket, onDamage: () => {} });
  const { all = [], leftOut } = backedUp ?? {};
  const copied = new Set(all.filter(({ chunks }) => chunks.length > 0).map(({ id }) => id));
  const missing: string[] = [];
  let [count, bytes] = [0, 0];
  for (const { id, sha256, length } of artifacts.all()) {
    if (copied.has(id)) {
      await requireWhole(artifacts, sha256);
      count += 1;
      bytes += length;
    } else {
      missing.push(sha256);
    }
  }
  const areInBackup = backedUp !== undefined && leftOut === undefined;
  return { count, bytes, missing, areInBackup, ...(leftOut !== undefined && { leftOut }) };
}

async function requireWhole(artifacts: ArtifactStore, sha256: string): Promise<void> {
  try {
    const artifact = artifacts.get(sha256);
    const hash = createHash('sha256');
    for await (const bytes of artifact?.read(0, artifact.length) ?? []) hash.update(bytes);
    if (hash.digest('hex') === sha256) return;
  } catch (error) {
    if (errorCode(error) !== 'E_UPDATE_ARTIFACT_DAMAGED') throw error;
    throw damagedFault(sha256, error);
  }
  throw damagedFault(sha256);
}

function damagedFault(sha256: string, cause?: unknown): Fault {
  return new Fault({
    code: 'E_MAIN_RESTORE_ARTIFACT',
    what: `The artifact ${sha256} was restored, and is not the file that was brought.`,
    fix: 'Remove the folder that ends in ".restoring", and restore again. Or try an older backup.',
    cause,
  });
}
