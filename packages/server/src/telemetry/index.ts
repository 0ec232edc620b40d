/** Readings, refusals and acts as operators see them. @module */
export * from './figures/index.ts';
export * from './device-commands.ts';
export * from './histories.ts';
export * from './reading.ts';
export * from './series/index.ts';
export * from './target-acts.ts';
