/**
 * What worker threads take of this folder: each one loads its own copy, and the index would bring
 * the schemas of all custodies.
 * @module
 */
export * from './aead.ts';
export * from './derive.ts';
export * from './key-handle.ts';
