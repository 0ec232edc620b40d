/** Words of questions to the policy. @module */
import type { Explanation } from '@holdfast/protocol/api';

/** What people ask about most; any other action can be typed. */
export const COMMON_ACTIONS = [
  'publish',
  'subscribe',
  'device:read',
  'device:command',
  'device:claim',
  'device:quarantine',
  'device:release',
  'device:revoke',
  'device:erase',
  'audit:read',
  'policy:set',
  'person:manage',
  'rollout:start',
] as const;

/** What would make a yes of a no. */
export function missingText(missing: NonNullable<Explanation['missing']>): string {
  return missing === 'step-up'
    ? 'It would be permitted after showing a second factor again.'
    : 'It would be permitted with the approval of a second person.';
}
