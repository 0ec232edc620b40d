/** Who is it? The TLS gate, and the MQTT sessions of admitted peers. @module */
export * from './authentication.ts';
export * from './client-id.ts';
export * from './gate.ts';
export * from './handler.ts';
export * from './limits.ts';
export type { RateLimits } from './rate-limiter.ts';
export type { DropReason } from './session.ts';
export { SessionTable, type SessionTableDeps } from './session-table.ts';
