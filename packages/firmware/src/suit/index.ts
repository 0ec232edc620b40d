/** SUIT manifests. @module */
export { suitEnvelope } from './envelope.ts';
export { suitManifest } from './manifest.ts';
export type { SuitRelease } from './manifest.ts';
export { readSuit } from './read-envelope.ts';
export type { SuitEnvelope } from './read-envelope.ts';
export type { SuitManifest, SuitSequence } from './read-manifest.ts';
export type { SuitCommand } from './read-sequence.ts';
