/** Makes one backup: chunks that are new, then the keys, then the manifest that names them all. @module */
import type { Bucket } from '../buckets/index.ts';
import type { KeyHandle } from '../crypto/index.ts';
import type { Clock, RandomBytes } from '../kernel/index.ts';
import type { DataKey } from '../persistence/index.ts';
import type { ArtifactFacts, ArtifactSource } from './artifact-source.ts';
import { BackupKey, type ChunkRef } from './backup-key.ts';
import { copyArtifacts } from './copy-artifacts.ts';
import type { BackupFacts } from './destinations.ts';
import {
  type BackedUpArtifacts,
  type DatabaseName,
  type ManifestHead,
  artifactsSummary,
  backupId,
  encodeManifest,
  manifestObject,
} from './manifest.ts';
import { chunksOf, newestHead } from './prune.ts';
import { copySnapshot } from './start-snapshot.ts';

/** How far a backup is. */
export interface BackupProgress {
  /** Bytes that were looked at, and those of them that the destination did not have. */
  readonly bytes: number;
  readonly newBytes: number;
  /** About how many there are. */
  readonly totalBytes: number;
}

/** What a backup is made of. */
export interface MakeBackupOptions {
  readonly bucket: Bucket;
  readonly paths: Readonly<Record<DatabaseName, string>>;
  /** Where artifacts come from, and whether they are left out. */
  readonly artifacts: ArtifactSource & { readonly isLeftOut: boolean };
  readonly totalBytes: number;
  readonly dataKey: DataKey;
  readonly signer: KeyHandle;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly head: Pick<
    ManifestHead,
    'software' | 'origin' | 'verifierKey' | 'custody' | 'kekVersion'
  >;
  /** Brings the keys, and gives their sequence; after it, the backup can be opened. */
  readonly bringKeys: () => Promise<number>;
  readonly onProgress: (progress: BackupProgress) => void;
  readonly signal: AbortSignal;
}

/** A backup that was made, with the checkpoint of its log. */
export interface MadeBackup extends BackupFacts {
  readonly checkpoint: string;
}

/** Makes a backup. One that was stopped before goes on where it was: its chunks are there. */
export async function makeBackup(options: MakeBackupOptions): Promise<MadeBackup> {
  const { bucket, dataKey, signer, clock, random, head, signal } = options;
  const key = new BackupKey(dataKey.ref, dataKey.key);
  const atMs = clock.nowMs();
  const { snapshot, checkpoint, newBytes } = await copyAll(options, key);
  signal.throwIfAborted();
  const keysSequence = await options.bringKeys();
  const id = backupId(atMs, random, await newestHead(bucket, head.verifierKey));
  const at = new Date(atMs).toISOString();
  const bytes = [...chunksOf({ snapshot })].reduce((sum, chunk) => sum + chunk.bytes, 0);
  const manifest = {
    version: 1,
    id,
    at,
    ...head,
    keyRef: dataKey.ref,
    checkpoint,
    bytes,
    keysSequence,
    snapshot,
  } as const;
  await bucket.put(manifestObject(id), encodeManifest(manifest, { key, signer, random }));
  const artifacts = artifactsSummary(snapshot.artifacts);
  return { id, atMs, bytes, newBytes, artifacts, checkpoint };
}

/** Copies the databases, and the artifacts that there are at the same moment. */
async function copyAll(options: MakeBackupOptions, key: BackupKey) {
  const { bucket, dataKey, head, random, totalBytes, artifacts, signal } = options;
  let [bytes, newBytes] = [0, 0];
  const onChunk = async (chunk: ChunkRef, sealed: Uint8Array | undefined): Promise<void> => {
    if (sealed !== undefined) {
      await bucket.put(key.objectOf(chunk.name), sealed);
      newBytes += chunk.bytes;
    }
    bytes += chunk.bytes;
    options.onProgress({ bytes, newBytes, totalBytes: Math.max(bytes, totalBytes) });
  };
  const known = await chunksIn(bucket, key);
  const held = artifacts.hold();
  try {
    let there: readonly ArtifactFacts[] = [];
    const onMoment = (): void => void (there = held.list());
    const copying = { paths: options.paths, key: dataKey, known, signal, onChunk, onMoment };
    const { snapshot, checkpoint } = await copySnapshot(copying);
    const { verifierKey } = head;
    const all = artifacts.isLeftOut
      ? there.map(({ sha256, id }) => ({ sha256, id, chunks: [] }))
      : await copyArtifacts(there, {
          held,
          bucket,
          key,
          verifierKey,
          random,
          known,
          onChunk,
          signal,
        });
    const leftOut = artifacts.isLeftOut ? artifacts.place : undefined;
    const part: BackedUpArtifacts = { ...(leftOut !== undefined && { leftOut }), all };
    return { snapshot: { ...snapshot, artifacts: part }, checkpoint, newBytes };
  } finally {
    await held.release();
  }
}

/** The chunks of a key that are there, with the bytes of their content. */
async function chunksIn(bucket: Bucket, key: BackupKey): Promise<Map<string, number>> {
  const overhead = key.sealedBytes({ bytes: 0 });
  const known = new Map<string, number>();
  for await (const object of bucket.list(key.chunkPrefix)) {
    known.set(object.key.slice(-NAME_CHARACTERS), object.size - overhead);
  }
  return known;
}

const NAME_CHARACTERS = 64;
