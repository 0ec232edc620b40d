/** What people sign, and how: requests, signatures, ceremonies. @module */
export { type CheckedDocument, CheckedRequest, checkRequest } from './checked-request.ts';
export * from './ceremony.ts';
export * from './key-file.ts';
export * from './limits.ts';
export type { Need } from './needs.ts';
export * from './published.ts';
export * from './request.ts';
export * from './seen.ts';
export * from './sign.ts';
export * from './signer.ts';
export * from './summary.ts';
