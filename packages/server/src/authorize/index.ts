/** May it? Decides each message and subscription by the grant of the peer. @module */
export * from './grant.ts';
export * from './topic-rules.ts';
