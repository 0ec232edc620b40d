/** Client of the Holdfast API. @module */
export { appClient, pairApp } from './app-client.ts';
export type { AppClient, AppIdentity } from './app-client.ts';
export type { AppRenewal } from './app-connection.ts';
export { ApiError } from './api-error.ts';
export type { ApiErrorText } from './api-error.ts';
export { createClient } from './client.ts';
export type { Client } from './client.ts';
export type { FollowOptions } from './follow.ts';
export type { SignedIn } from './people-client.ts';
export type { ArtifactSource, UploadOptions } from './release-client.ts';
export { parsePin, pinnedAnchor, shownPins } from './pinned-anchor.ts';
export type { Pin } from './pinned-anchor.ts';
export type { TransportOptions } from './transport.ts';
