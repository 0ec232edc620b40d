/** Enrollment: a claim and a certificate request become an operational certificate. @module */
export * from './wrong-claims.ts';
export { type ClaimDeps, type IssuedClaim, MAY_NOT_ENROLL, issueClaim } from './claims.ts';
export * from './create-enrollment.ts';
export { type EstDeps, estRoutes } from './est-routes.ts';
export * from './payload-keys-route.ts';
export * from './redeem.ts';
