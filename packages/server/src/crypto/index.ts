/** Keys and what is done with them; nothing here knows what is sealed or signed. @module */
export * from './aead.ts';
export * from './aws-options.ts';
export * from './derive.ts';
export * from './key-custody.ts';
export * from './key-handle.ts';
export * from './key-wrapper.ts';
export * from './passphrase-seal.ts';
export * from './pkcs11-custody.ts';
export { type Pkcs11Driver, loadPkcs11Driver } from './pkcs11-driver.ts';
export * from './pkcs11-token.ts';
export * from './private-file.ts';
export * from './recovery-share.ts';
export * from './secret-file.ts';
export * from './unseal-custody.ts';
export * from './unseal-key.ts';
export * from './unseal-kms.ts';
export * from './unseal-passphrase.ts';
export * from './unseal-vault.ts';
