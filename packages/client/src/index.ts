/** Client of the Holdfast API. @module */
export { ApiError } from './api-error.ts';
export type { ApiErrorText } from './api-error.ts';
export { createClient } from './client.ts';
export type { Client, SignedIn } from './client.ts';
export type { FollowOptions } from './follow.ts';
export { parsePin, pinnedAnchor } from './pinned-anchor.ts';
export type { Pin } from './pinned-anchor.ts';
export type { TransportOptions } from './transport.ts';
