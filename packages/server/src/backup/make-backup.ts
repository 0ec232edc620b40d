/** Makes one backup: chunks that are new, then the keys, then the manifest that names them all. @module */
import type { Bucket } from '../buckets/index.ts';
import type { KeyHandle } from '../crypto/index.ts';
import type { Clock, RandomBytes } from '../kernel/index.ts';
import type { DataKey } from '../persistence/index.ts';
import { BackupKey } from './backup-key.ts';
import type { BackupFacts } from './destinations.ts';
import {
  type DatabaseName,
  type ManifestHead,
  backupId,
  encodeManifest,
  manifestObject,
} from './manifest.ts';
import { newestHead } from './prune.ts';
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
  const { bucket, dataKey, signer, clock, random, head, totalBytes, signal } = options;
  const key = new BackupKey(dataKey.ref, dataKey.key);
  const atMs = clock.nowMs();
  let [bytes, newBytes] = [0, 0];
  const { snapshot, checkpoint } = await copySnapshot({
    paths: options.paths,
    key: dataKey,
    known: await chunksIn(bucket, key),
    signal,
    onChunk: async (chunk, sealed) => {
      if (sealed !== undefined) {
        await bucket.put(key.objectOf(chunk.name), sealed);
        newBytes += chunk.bytes;
      }
      bytes += chunk.bytes;
      options.onProgress({ bytes, newBytes, totalBytes: Math.max(bytes, totalBytes) });
    },
  });
  signal.throwIfAborted();
  const keysSequence = await options.bringKeys();
  const id = backupId(atMs, random, await newestHead(bucket, head.verifierKey));
  const at = new Date(atMs).toISOString();
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
  return { id, atMs, bytes, newBytes, checkpoint };
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
