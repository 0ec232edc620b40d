/** Firmware updates: the repository, the director, delivery and rollouts. @module */
export { UNNEEDED_BYTES_ALARM } from './artifacts/limits.ts';
export {
  type ArtifactTotal,
  StoredArtifacts,
  type StoredArtifactFacts,
  needText,
  totalOf,
  unneededOf,
} from './artifacts/stored-artifacts.ts';
export * from './director/assignments.ts';
export * from './director/device-director.ts';
export { UPDATE_STEPS_KEPT_MAX } from './limits.ts';
export * from './online-keys.ts';
export type { AssignedBy, Director, Releases, StoredArtifact, UpdateReports } from './ports.ts';
export * from './reports.ts';
export * from './rollout/index.ts';
export * from './repository/index.ts';
export type { UpdateRates } from './delivery/downloads.ts';
export { UpdateServices, type UpdateServicesDeps } from './update-services.ts';
export { FINDINGS_MAX } from './sbom/limits.ts';
export type { ReleaseFindings } from './sbom/vulnerabilities.ts';
export * from './update-parts.ts';
export * from './version-sequence.ts';
