/** Who is it? The TLS gate, and the MQTT sessions of admitted peers. @module */
export * from './api-key-check.ts';
export * from './app-gate.ts';
export * from './app-sessions.ts';
export * from './authentication.ts';
export * from './client-id.ts';
export type { ConnectionFacts, EndedConnection, SessionFacts } from './connection-facts.ts';
export * from './gate.ts';
export * from './handler.ts';
export * from './https-connections.ts';
export * from './limits.ts';
export { Presence } from './presence.ts';
export type { RateLimiter, RateLimits } from './rate-limiter.ts';
export * from './scram-authenticator.ts';
export * from './second-factor.ts';
export type { DropReason } from './session.ts';
export { SessionTable, type SessionTableDeps } from './session-table.ts';
