/** What is kept of an artifact besides its chunks, and where these are. @module */
import { z } from 'zod';

export const ArtifactRecordSchema = z.object({
  /** In hexadecimal; also its key. */
  sha256: z.string(),
  /** Bytes. */
  length: z.int(),
  /** Id of the upload that it came by: names its chunks. */
  id: z.string(),
  /** Number of the data key that its chunks are sealed under. */
  keyRef: z.int(),
  /** Bytes of each chunk but the last. */
  chunkBytes: z.int(),
  storedAtMs: z.int(),
  /** Principal who brought it. */
  by: z.string(),
});
export type ArtifactRecord = Readonly<z.infer<typeof ArtifactRecordSchema>>;

/** Chunks that are to be removed: of an upload under way, or of one that was replaced. */
export const LeftoverSchema = z.object({ id: z.string() });

/** How many chunks an artifact has. */
export function chunkCount({
  length,
  chunkBytes,
}: Pick<ArtifactRecord, 'length' | 'chunkBytes'>): number {
  return Math.ceil(length / chunkBytes);
}

/** What the keys of all chunks begin with. */
export const CHUNKS_PREFIX = 'artifact/';

/** What the keys of all chunks of an upload begin with. */
export function chunkPrefix(id: string): string {
  return `${CHUNKS_PREFIX}${id}/`;
}

/** The key of a chunk in the bucket. */
export function chunkName(id: string, index: number): string {
  return `${chunkPrefix(id)}${String(index).padStart(6, '0')}`;
}

/** The upload that a key in the bucket is a chunk of; undefined for what is no chunk. */
export function uploadOf(key: string): string | undefined {
  return CHUNK_NAME.exec(key)?.[1];
}

const CHUNK_NAME = /^artifact\/([0-9a-f]{32})\/[0-9]{6}$/u;
