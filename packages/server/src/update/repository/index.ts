/** The image repository. @module */
export * from './artifact-records.ts';
export * from './artifact-store.ts';
export * from './image-repository.ts';
export * from './limits.ts';
export { RELEASE_FILE_KINDS, type ReleaseFileKind, type ReleaseFiles } from './release-files.ts';
export * from './repository-care.ts';
export * from './signing-requests.ts';
export * from './uploads.ts';
