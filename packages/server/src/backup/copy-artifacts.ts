/** Copies artifacts to a destination; those that it has are not even read. @module */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bucket } from '../buckets/index.ts';
import type { RandomBytes } from '../kernel/index.ts';
import type { ArtifactFacts, HeldArtifacts } from './artifact-source.ts';
import type { BackupKey, ChunkRef } from './backup-key.ts';
import { failedFault } from './faults.ts';
import { CHUNKS_IN_FLIGHT_MAX } from './limits.ts';
import { type BackedUpArtifact, decodeManifest, manifestObject } from './manifest.ts';
import { newestHead } from './prune.ts';

/** From where, where to, and what is there. */
export interface CopyArtifactsOptions {
  readonly held: Pick<HeldArtifacts, 'read'>;
  readonly bucket: Bucket;
  readonly key: BackupKey;
  readonly verifierKey: string;
  readonly random: RandomBytes;
  /** Chunks that the destination has, with the bytes of their content. */
  readonly known: ReadonlyMap<string, number>;
  /** Puts a chunk where it belongs; without `sealed` it is there. */
  readonly onChunk: (chunk: ChunkRef, sealed: Uint8Array | undefined) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Copies artifacts. One that is not whole where it is kept is listed, and has no chunks. */
export async function copyArtifacts(
  artifacts: readonly ArtifactFacts[],
  options: CopyArtifactsOptions,
): Promise<BackedUpArtifact[]> {
  if (artifacts.length === 0) return [];
  const before = await copiedBefore(options);
  const copied: BackedUpArtifact[] = [];
  for (const artifact of artifacts) {
    // Thousands that are there already would be passed over in one go.
    await nextTurn();
    const { sha256, id, count } = artifact;
    const known = before.get(id);
    // An upload never changes: what was copied of it is what there is.
    const chunks =
      known?.length === count && known.every((chunk) => isThere(chunk, options))
        ? await passOver(known, options)
        : await copyOne(artifact, options);
    copied.push({ sha256, id, chunks });
  }
  return copied;
}

/** The chunks of the artifacts in the newest backup there, by the ids of their uploads. */
async function copiedBefore({
  bucket,
  key,
  verifierKey,
}: CopyArtifactsOptions): Promise<ReadonlyMap<string, readonly ChunkRef[]>> {
  const head = await newestHead(bucket, verifierKey);
  // Of another key, chunks have other names.
  if (head?.keyRef !== key.ref) return new Map();
  const bytes = await bucket.get(manifestObject(head.id));
  if (bytes === undefined) return new Map();
  const { snapshot } = decodeManifest(bytes, { key, verifierKey });
  return new Map(snapshot.artifacts?.all.map(({ id, chunks }) => [id, chunks]));
}

async function passOver(
  chunks: readonly ChunkRef[],
  { onChunk, signal }: CopyArtifactsOptions,
): Promise<ChunkRef[]> {
  requireGoing(signal);
  for (const chunk of chunks) await onChunk(chunk, undefined);
  return [...chunks];
}

async function copyOne(
  artifact: ArtifactFacts,
  options: CopyArtifactsOptions,
): Promise<ChunkRef[]> {
  const chunks: ChunkRef[] = [];
  for (let at = 0; at < artifact.count; at += CHUNKS_IN_FLIGHT_MAX) {
    requireGoing(options.signal);
    const some = Math.min(CHUNKS_IN_FLIGHT_MAX, artifact.count - at);
    const taken = await allEnded(
      Array.from({ length: some }, (_, n) => take(artifact, at + n, options)),
    );
    for (const chunk of taken) {
      if (chunk === undefined) return [];
      chunks.push(chunk);
    }
  }
  return chunks;
}

/** Names an object of an artifact, and puts it there unless it is. */
async function take(
  artifact: ArtifactFacts,
  index: number,
  { held, key, random, onChunk, ...there }: CopyArtifactsOptions,
): Promise<ChunkRef | undefined> {
  const content = await held.read(artifact, index);
  if (content === undefined) return undefined;
  const chunk = { name: key.nameOf(content), bytes: content.length };
  const sealed = isThere(chunk, there) ? undefined : key.sealChunk(chunk.name, content, random);
  await onChunk(chunk, sealed);
  return chunk;
}

function isThere({ name, bytes }: ChunkRef, { known }: Pick<CopyArtifactsOptions, 'known'>) {
  return known.get(name) === bytes;
}

function requireGoing({ aborted, reason }: AbortSignal): void {
  if (aborted) throw failedFault('it was stopped', reason);
}

/** Like `Promise.all`, but when it rejects nothing is under way any more. */
async function allEnded<T>(tasks: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}
