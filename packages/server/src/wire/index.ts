/** Sockets: TLS 1.3 listeners, and nothing else. @module */
export * from './address-table.ts';
export * from './listener.ts';
