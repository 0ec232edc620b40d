/** A strict codec for MQTT 3.1.1 and 5: pure, for both ends of a connection. @module */
export * from './decode.ts';
export { NO_PROPERTIES } from './decode-properties.ts';
export * from './encode-connect.ts';
export * from './encode-publish.ts';
export * from './encode.ts';
export * from './forwarded.ts';
export * from './frame-splitter.ts';
export * from './limits.ts';
export * from './packet-refusal.ts';
export * from './packets.ts';
export * from './reason-codes.ts';
export { CONNACK_REASONS } from './reason-sets.ts';
export { TopicReader } from './topic-reader.ts';
