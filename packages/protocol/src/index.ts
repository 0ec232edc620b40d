/** What both ends must agree on: pure, no I/O, runs in a browser too. @module */
export * from './refusal.ts';
export * from './figure-spans.ts';
export * from './refusal-causes.ts';
export * from './act-words.ts';
export * from './refusal-codes.ts';
export * from './app-proof.ts';
export * from './claim.ts';
export * from './entry.ts';
export * from './evidence.ts';
export * from './ids.ts';
export * from './pairing-text.ts';
export * from './signed-json/index.ts';
export * from './signed-properties/index.ts';
export * from './topics.ts';
export * from './update-timeline.ts';
