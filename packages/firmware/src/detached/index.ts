/** Detached signatures. @module */
export { sha256File, signDetached, verifyDetached } from './detached.ts';
export type { DetachedSignature } from './detached.ts';
export { DETACHED_BYTES_MAX } from './limits.ts';
