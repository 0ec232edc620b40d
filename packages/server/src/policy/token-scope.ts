/** Whether a token with a scope is good for something; the policy is asked besides. @module */
import type { TokenScope } from '../registry/index.ts';
import {
  ACTION_GROUPS,
  ACTION_NAMES,
  type ActionGroup,
  type ApiAction,
  actionDeclaration,
  isApiAction,
} from './actions.ts';
import type { PolicyAction, Resource } from './subjects.ts';

/**
 * What can stand in a scope. What people do with what is their own, such as their factors and their
 * tokens, is for them alone: a token with a scope may ask who it is, and no more.
 */
const SCOPE_NAMES: ReadonlySet<string> = new Set<ApiAction | ActionGroup>([
  ...ACTION_GROUPS,
  ...ACTION_NAMES.filter((action) => actionDeclaration(action).on !== 'self'),
]);

/** The first of some names that cannot stand in a scope. */
export function unknownInScope(names: readonly string[]): string | undefined {
  return names.find((name) => !SCOPE_NAMES.has(name));
}

/** Whether it is inside a scope. What the scope does not name, or nobody knows, is outside. */
export function isInScope(
  { actions, group }: TokenScope,
  { action, resource }: { readonly action: PolicyAction; readonly resource: Resource },
): boolean {
  if (!isApiAction(action)) return false;
  const { on, groups } = actionDeclaration(action);
  if (on === 'self') return action === 'self:read';
  const isInGroup = resource.kind === 'device' && resource.device.group === group;
  if (group !== undefined && !isInGroup) return false;
  // A scope that names nothing permits nothing.
  if (actions === undefined) return group !== undefined;
  return actions.some((name) => name === action || groups.some((each) => each === name));
}
