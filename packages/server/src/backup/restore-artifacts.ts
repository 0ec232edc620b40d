/** Puts artifacts back where they are kept; goes on where it was stopped. @module */
import type { Bucket } from '../buckets/index.ts';
import { Fault } from '../kernel/index.ts';
import { damagedFault } from './faults.ts';
import type { BackedUpArtifact, BackedUpArtifacts } from './manifest.ts';
import { type RestoreSource, contents } from './restore-database.ts';

/** From where, and where to. */
export interface RestoreArtifactsOptions extends RestoreSource {
  readonly to: Bucket;
  /** Key of an object of an upload where artifacts are kept. */
  readonly objectOf: (id: string, index: number) => string;
}

/**
 * Puts the artifacts of a backup back, sealed as they were. Each chunk is checked against its name
 * before it is put.
 * @throws Fault `E_BACKUP_DAMAGED` that names the artifact.
 */
export async function restoreArtifacts(
  { all }: BackedUpArtifacts,
  options: RestoreArtifactsOptions,
): Promise<void> {
  for (const artifact of all) await restoreOne(artifact, options);
}

async function restoreOne(
  { sha256, id, chunks }: BackedUpArtifact,
  { to, objectOf, onChunk, ...from }: RestoreArtifactsOptions,
): Promise<void> {
  let at = 0;
  for (const { bytes } of chunks) {
    // Objects are put whole, in order: what is there was put by the attempt before.
    if ((await to.head(objectOf(id, at)))?.size !== bytes) break;
    onChunk(bytes);
    at += 1;
  }
  try {
    for await (const content of contents(chunks.slice(at), from)) {
      await to.put(objectOf(id, at), content);
      onChunk(content.length);
      at += 1;
    }
  } catch (error) {
    if (!(error instanceof Fault) || !DAMAGES.has(error.code)) throw error;
    throw damagedFault(`part ${at} of the artifact ${sha256} is missing or was changed`, error);
  }
}

const DAMAGES: ReadonlySet<string> = new Set(['E_BACKUP_DAMAGED', 'E_CRYPTO_OPEN']);
