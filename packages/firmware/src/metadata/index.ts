/** The metadata of TUF as both repositories have them. @module */
export * from './bytes.ts';
export * from './documents.ts';
export * from './keys.ts';
export * from './limits.ts';
export { releasesOf, scopeOf } from './problems.ts';
export * from './roles.ts';
export * from './signatures.ts';
