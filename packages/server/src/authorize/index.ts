/** May it? Decides each message and subscription by the grant of the peer. @module */
export * from './command-topic.ts';
export * from './grant.ts';
export * from './permissions.ts';
export { updateTopic } from './topic-scope.ts';
