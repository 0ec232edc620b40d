/** Where objects are kept away from the server. @module */
export * from './bucket.ts';
export * from './bucket-checks.ts';
export * from './bucket-policies.ts';
export * from './buckets.ts';
export * from './folder-bucket.ts';
export { type Acceptance, type Judgement, type Judgements, isRisk } from './judgements.ts';
export * from './s3-place.ts';
