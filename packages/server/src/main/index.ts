/** The server as the command line starts it, and the offline verification of its data. @module */
export { bucketPolicies, parseS3Name } from '../buckets/index.ts';
export { createLog } from '../kernel/index.ts';
export { changeCustody, custodyOfFolder } from './change-custody.ts';
export type { StartOptions } from './context.ts';
export type { ServerFacts } from './doors.ts';
export { makeEscrow, recoverUnsealKey } from './escrow.ts';
export { type Installation, installationAt } from './installation.ts';
export type { AskSecrets, CustodyChoice } from './keepers.ts';
export * from './offline-signing.ts';
export {
  type RestoreOptions,
  type RestoreReport,
  drillRestore,
  restoreData,
} from './restore-data.ts';
export { makeSignerKey, openSignerKey } from './signer-key.ts';
export { makeBootKey, openBootKey } from './boot-key.ts';
export * from './start.ts';
export * from './verify-data.ts';
