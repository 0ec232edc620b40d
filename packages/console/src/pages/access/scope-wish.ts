/** What a new token is to be good for, as it is chosen. @module */
import type { CreateTokenRequest, TokenView } from '@holdfast/protocol/api';

/** Actions that one scope can name; see `TOKEN_SCOPE_ACTIONS_MAX`. */
export const CHOSEN_MAX = 32;

/** How much of what its person may do. */
export type Extent = 'all' | 'reads' | 'chosen';

/** What is chosen in the form. */
export interface ScopeWish {
  readonly extent: Extent;
  /** Counts with `chosen`. */
  readonly actions: readonly string[];
  /** Empty: devices of every group, and the server. */
  readonly group: string;
}

/** Whether there is something left to choose. */
export function isScopeComplete({ extent, actions }: ScopeWish): boolean {
  return extent !== 'chosen' || actions.length > 0;
}

/** The same as it is asked for; undefined: no limit. */
export function scopeOf({ extent, actions, group }: ScopeWish): CreateTokenRequest['scope'] {
  const named = group.trim();
  if (extent === 'all' && named === '') return undefined;
  const chosen = extent === 'reads' ? ['reads'] : [...actions];
  return {
    ...(extent !== 'all' && { actions: chosen }),
    ...(named !== '' && { group: named }),
  };
}

/** What a token may do, in words. */
export function scopeText({ scope }: Pick<TokenView, 'scope'>): string {
  const what =
    scope?.actions === undefined
      ? 'all that its person may'
      : scope.actions.map((action) => (action === 'reads' ? 'read' : action)).join(', ');
  return scope?.group === undefined ? what : `${what}, in the group ${scope.group}`;
}
