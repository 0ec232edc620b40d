/** Lists the backups of a destination, and removes the old ones. @module */
import type { Bucket } from '../buckets/index.ts';
import { Fault } from '../kernel/index.ts';
import type { BackupKey } from './backup-key.ts';
import { damagedFault } from './faults.ts';
import {
  MANIFEST_PREFIX,
  type Manifest,
  type ManifestHead,
  decodeHead,
  decodeManifest,
  manifestObject,
} from './manifest.ts';

/** The backups of a destination. */
export interface BackupsThere {
  /** The oldest first. */
  readonly heads: readonly ManifestHead[];
  /** Objects that stand where a backup would, and are none as it was written. */
  readonly damaged: readonly string[];
}

/** Reads the heads of all backups. One that is damaged hides none of the others. */
export async function listBackups(bucket: Bucket, verifierKey: string): Promise<BackupsThere> {
  const heads: ManifestHead[] = [];
  const damaged: string[] = [];
  for (const object of await manifestsIn(bucket)) {
    const head = await headAt(bucket, object, verifierKey);
    if (head === undefined) damaged.push(object);
    else heads.push(head);
  }
  return { heads, damaged };
}

/** The newest backup that is as it was written; undefined where there is none. */
export async function newestHead(
  bucket: Bucket,
  verifierKey: string,
): Promise<ManifestHead | undefined> {
  for (const object of (await manifestsIn(bucket)).reverse()) {
    const head = await headAt(bucket, object, verifierKey);
    if (head !== undefined) return head;
  }
  return undefined;
}

async function headAt(
  bucket: Bucket,
  object: string,
  verifierKey: string,
): Promise<ManifestHead | undefined> {
  const bytes = await required(bucket, object);
  try {
    return requireHead(object, bytes, verifierKey);
  } catch (error) {
    if (error instanceof Fault && error.code === 'E_BACKUP_DAMAGED') return undefined;
    throw error;
  }
}

/**
 * The head of a manifest that stands where it was put: under another name, an old one would pass
 * for the newest.
 * @throws Fault `E_BACKUP_DAMAGED`.
 */
export function requireHead(object: string, bytes: Buffer, verifierKey: string): ManifestHead {
  const head = decodeHead(bytes, verifierKey);
  if (manifestObject(head.id) === object) return head;
  throw damagedFault(`${object} is the backup ${head.id} under another name`);
}

/** What a pruning removed. */
export interface Pruned {
  readonly backups: number;
  readonly chunks: number;
  readonly bytes: number;
}

/**
 * Removes all backups but the newest, and then the chunks that none of these names. No backup may
 * be made meanwhile.
 * @param keep - 1 or more.
 */
export async function pruneBackups(
  bucket: Bucket,
  {
    keep,
    verifierKey,
    keyOf,
  }: { keep: number; verifierKey: string; keyOf: (ref: number) => BackupKey },
): Promise<Pruned> {
  const objects = await manifestsIn(bucket);
  const kept = new Set<string>();
  // Read before anything is removed: one that does not open must not cost the chunks of another.
  for (const object of objects.slice(-keep)) {
    const bytes = await required(bucket, object);
    const key = keyOf(requireHead(object, bytes, verifierKey).keyRef);
    const manifest = decodeManifest(bytes, { key, verifierKey });
    for (const { name } of chunksOf(manifest)) kept.add(key.objectOf(name));
  }
  const old = objects.slice(0, -keep);
  for (const object of old) await bucket.remove(object);
  let [chunks, bytes] = [0, 0];
  for await (const { key, size } of bucket.list('chunks/')) {
    if (kept.has(key)) continue;
    await bucket.remove(key);
    chunks += 1;
    bytes += size;
  }
  return { backups: old.length, chunks, bytes };
}

/** All chunks that a backup names; one may stand in it twice. */
export function* chunksOf({ snapshot }: Pick<Manifest, 'snapshot'>): Generator<{
  readonly name: string;
  readonly bytes: number;
}> {
  for (const { tables } of snapshot.databases) {
    for (const { chunks } of tables) yield* chunks;
  }
  for (const { chunks } of snapshot.artifacts?.all ?? []) yield* chunks;
}

/** Keys of the manifests, the oldest first: their ids sort by time. */
export async function manifestsIn(bucket: Bucket): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of bucket.list(MANIFEST_PREFIX)) keys.push(key);
  return keys.sort();
}

async function required(bucket: Bucket, key: string): Promise<Buffer> {
  const bytes = await bucket.get(key);
  if (bytes === undefined) throw damagedFault(`${key} is gone`);
  return bytes;
}
