/** The sealed store: the database sees neither names nor content. @module */
export * from './database.ts';
export * from './folder-lock.ts';
export * from './key-tables.ts';
export type { KekRotation } from './kek-rotation.ts';
export { type KeyringCustody, type TokenKeks } from './kek-versions.ts';
export type { KekCount, PurposeCount } from './key-census.ts';
export type { DataKey, KeyUse } from './key-use.ts';
export { KEYRING_SCHEMA, Keyring } from './keyring.ts';
export { KEY_AGE_RENEW_MS, KEY_BYTES_MAX, KEY_SEALINGS_MAX } from './limits.ts';
export { RecordKeys } from './record-keys.ts';
export * from './sealed-store.ts';
export { type OpenedState, StoreState } from './store-state.ts';
