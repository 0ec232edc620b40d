/** Keys and what is done with them; nothing here knows what is sealed or signed. @module */
export * from './aead.ts';
export * from './derive.ts';
export * from './key-handle.ts';
export * from './secret-file.ts';
export * from './unseal-key.ts';
