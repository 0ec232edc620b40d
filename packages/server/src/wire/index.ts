/** Sockets: TLS 1.3 listeners, and nothing else. @module */
export * from './admission.ts';
export * from './connection-table.ts';
export * from './listener.ts';
export * from './memory-budget.ts';
export { type PeerSocket, peerAddress } from './peer-socket.ts';
export * from './proxies.ts';
export type { PublicName, ShownIdentity } from './public-name.ts';
export * from './transport-facts.ts';
export type { OnWebSocket, WebSocketAnswer, WebSocketRequest } from './web-socket.ts';
