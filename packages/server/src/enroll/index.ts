/** Enrollment: a claim and a certificate request become an operational certificate. @module */
export * from './authority-change.ts';
export * from './authority-keeper.ts';
export * from './wrong-claims.ts';
export {
  type ClaimDeps,
  type IssuedClaim,
  MAY_NOT_ENROLL,
  type PreparedClaim,
  issueClaim,
  prepareClaim,
} from './claims.ts';
export * from './create-enrollment.ts';
export { type EstDeps, estRoutes } from './est-routes.ts';
export {
  type Identify,
  type IdentifiedDeps,
  NOT_IDENTIFIED,
  type QuarantineDeps,
  identified,
  identifiedInQuarantine,
  subjectOf,
} from './identified.ts';
export { APP_INVITATION_LIFE_MS, DISPLAYED_PAIR_CODE_LIFE_MS } from './limits.ts';
export * from './pairing.ts';
export * from './payload-keys-route.ts';
export * from './redeem.ts';
export type { Examine } from './simple-reenroll.ts';
export { type IssuedCrl, Revocations } from './revocations.ts';
