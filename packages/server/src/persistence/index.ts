/** The sealed store: the database sees neither names nor content. @module */
export * from './database.ts';
export * from './keyring.ts';
export * from './sealed-store.ts';
