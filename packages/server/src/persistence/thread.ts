/**
 * What worker threads take of this folder: files of databases. Each one loads its own copy, and the
 * index would bring schemas.
 * @module
 */
export * from './database.ts';
