/** Who may do what: policies in Cedar, their versions, and the decisions that follow. @module */
export * from './actions.ts';
export * from './authorizer.ts';
export type { DeviceKind } from './device-kinds.ts';
export * from './policies.ts';
export { type PolicyProblem, type PolicyRule, checkPolicyText } from './policy-text.ts';
export { unknownInScope } from './token-scope.ts';
export { type RecentDecision, principalText, resourceText } from './recent-decisions.ts';
export { SCHEMA_TEXT } from './schema.ts';
export * from './subjects.ts';
export * from './terms.ts';
export type { DecisionChange } from './trial.ts';
export { DEFAULT_POLICY, type PolicyVersion } from './versions.ts';
