/** Readings, refusals and acts as operators see them. @module */
export * from './histories.ts';
export * from './reading.ts';
export * from './series/index.ts';
