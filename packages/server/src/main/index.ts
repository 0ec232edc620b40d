/** The server as the command line starts it, and the offline verification of its data. @module */
export { createLog } from '../kernel/index.ts';
export type { StartOptions } from './context.ts';
export type { ServerFacts } from './doors.ts';
export * from './offline-signing.ts';
export * from './start.ts';
export * from './verify-data.ts';
