/**
 * What worker threads take of this folder: the log, to write or to read it. Each one loads its own
 * copy, and the index would bring schemas.
 * @module
 */
export * from './live-log.ts';
export * from './sealed-log.ts';
