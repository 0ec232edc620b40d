/** The artifacts of updates, as backups take them. @module */
import type { ArtifactSource } from '../backup/index.ts';
import { errorCode } from '../kernel/index.ts';
import { type ArtifactRecord, type ArtifactStore, chunkCount } from '../update/index.ts';

/** What is damaged where it is kept, and no failure of the way to it. */
const DAMAGES: ReadonlySet<string> = new Set(['E_UPDATE_ARTIFACT_DAMAGED', 'E_BUCKETS_SIZE']);

/** @param place - Name of their bucket; undefined for the data folder. */
export function artifactSource(
  artifacts: ArtifactStore,
  place: string | undefined,
): ArtifactSource {
  return {
    place,
    totalBytes: () => artifacts.all().reduce((sum, { length }) => sum + length, 0),
    hold: () => {
      const release = artifacts.hold();
      let records = new Map<string, ArtifactRecord>();
      return {
        list: () => {
          records = new Map(artifacts.all().map((record) => [record.id, record]));
          return [...records.values()].map((record) => ({
            sha256: record.sha256,
            id: record.id,
            count: chunkCount(record),
          }));
        },
        read: async ({ id }, index) => {
          const record = records.get(id);
          try {
            return record && (await artifacts.sealedChunk(record, index));
          } catch (error) {
            // It is told of by the store; the rest of the backup is worth making all the same.
            if (DAMAGES.has(errorCode(error) ?? '')) return undefined;
            throw error;
          }
        },
        release,
      };
    },
  };
}
