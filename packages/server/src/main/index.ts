/** The server as the command line starts it, and the offline verification of its data. @module */
export * from './start.ts';
export * from './verify-data.ts';
export { createLog } from '../kernel/index.ts';
