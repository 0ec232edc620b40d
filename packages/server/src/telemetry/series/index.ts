/** The time series of devices, made of the log. @module */
export * from './device-series-keys.ts';
export { BUCKETS_MAX } from './limits.ts';
export * from './retention.ts';
export type * from './series-query.ts';
export * from './series-store.ts';
export type { ExpiredKey } from './worker-messages.ts';
