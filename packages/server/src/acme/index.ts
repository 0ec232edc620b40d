/** A certificate for the public name, from an ACME authority. @module */
export type { AcmeOptions, ExternalAccount } from './options.ts';
export * from './public-certificate.ts';
