/** Who is it? The TLS gate, and the MQTT session of an admitted peer. @module */
export * from './gate.ts';
export * from './handler.ts';
export { SessionTable, type SessionTableDeps } from './session-table.ts';
