/** A strict codec for MQTT 3.1.1: pure, for both ends of a connection. @module */
export * from './decode.ts';
export * from './encode-publish.ts';
export * from './encode.ts';
export * from './frame-splitter.ts';
export * from './limits.ts';
export * from './packets.ts';
