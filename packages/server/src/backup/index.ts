/** Backups: consistent snapshots, sealed, whose keys are kept apart so that erasures reach them. @module */
export type { ArtifactFacts, ArtifactSource, HeldArtifacts } from './artifact-source.ts';
export { type BackupRun, Backups, type BackupsDeps } from './backups.ts';
export { BackupRecords, type Destination, type Drill, type Schedule } from './destinations.ts';
export { folderRefusal, isPlainPath } from './folder-place.ts';
export type { Erasure } from './keys-object.ts';
export * from './limits.ts';
export type { MadeBackup } from './make-backup.ts';
export {
  type ArtifactsSummary,
  BACKED_UP,
  type BackedUpArtifacts,
  type ManifestHead,
  type Snapshot,
  artifactsSummary,
} from './manifest.ts';
export { type FoundBackup, type OpenedBackup, findBackup, openBackup } from './open-backup.ts';
export type { BackupsThere, Pruned } from './prune.ts';
export { restoreArtifacts } from './restore-artifacts.ts';
export { restoreDatabase } from './restore-database.ts';
