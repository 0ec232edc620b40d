/** The audit log: a sealed Merkle log with signed checkpoints, and its verification. @module */
export * from './act.ts';
export * from './log-files.ts';
export * from './log-key.ts';
export * from './log-reader.ts';
export * from './sealed-log.ts';
export { LEAF_PREFIX_BYTES, type PendingEntry } from './segment.ts';
export * from './verify-log.ts';
