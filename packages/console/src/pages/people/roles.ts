/** What each role may do, in a sentence. @module */
import type { PersonRole } from '@holdfast/protocol/api';

/** The roles, the one with the fewest rights first. The policy can give and take more. */
export const ROLES: readonly { readonly role: PersonRole; readonly may: string }[] = [
  { role: 'viewer', may: 'Sees devices and their readings. Changes nothing.' },
  { role: 'operator', may: 'Runs devices: commands, groups, quarantine, rollouts.' },
  { role: 'installer', may: 'Adds devices and makes their claims, on site.' },
  { role: 'auditor', may: 'Reads everything that is on record, and verifies it. Changes nothing.' },
  {
    role: 'security-officer',
    may: 'Contains and releases devices, sets the policy, ends sessions.',
  },
  { role: 'administrator', may: 'May do everything, people and keys included.' },
];

/** A role as people read it. */
export function roleText(role: string): string {
  return role.replaceAll('-', ' ');
}
