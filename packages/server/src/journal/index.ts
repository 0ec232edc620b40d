/** Durable before acknowledged: the journal and what is put into it. @module */
export { type DiskCondition, type DiskFigures, DiskWatch } from './disk-watch.ts';
export type { JournaledEntry } from './journal-reader.ts';
export type { AppendOptions } from './group-commit.ts';
export * from './journal.ts';
export { JournaledMessage } from './journaled-message.ts';
export * from './message-journal.ts';
export { type EncodeState, ROUTED_KEY, decodeRouted } from './pending-state.ts';
export * from './read-newest.ts';
export * from './refusal-recorder.ts';
export type { StateRow } from './state-store.ts';
