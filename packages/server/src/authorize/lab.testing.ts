import type { Policies } from '../policy/index.ts';
/** Permissions by the policy that comes with Holdfast, for the tests of the flow. @module */
import { openPolicies } from '../policy/lab.testing.ts';
import type { RoleName } from '../registry/index.ts';
import type { Lab } from '../session/lab.testing.ts';
import { Permissions } from './permissions.ts';

/** Permissions, and the policy behind them. */
export interface PermissionsLab {
  readonly permissions: Permissions;
  readonly policies: Policies;
}

/** Opens permissions on a lab; `roles` are those of people, by principal. */
export function openPermissions(
  { store, clock, registry }: Pick<Lab, 'store' | 'clock' | 'registry'>,
  roles: Readonly<Record<string, RoleName>> = {},
): PermissionsLab {
  const policies = openPolicies(store, clock);
  const { authorizer } = policies;
  const roleOf = (principal: string): RoleName | undefined => roles[principal];
  return { policies, permissions: new Permissions({ authorizer, registry, roleOf }) };
}
