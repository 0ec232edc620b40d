/** What somebody might do, found out once for each policy: it takes hundreds of decisions. @module */
import type { ApiAction } from '../policy/index.ts';
import type { Caller } from '../registry/index.ts';
import type { RequestAccess } from './access.ts';
import type { ApiDeps } from './deps.ts';
import { POSSIBLE_ACTIONS_KEPT } from './limits.ts';

/** What was found out, shared by all who ask the same while the policy and the roles stay. */
export class PossibleActions {
  readonly #policies: Pick<ApiDeps['policies'], 'authorizer'>;
  readonly #found = new Map<string, Promise<ApiAction[]>>();

  constructor(policies: Pick<ApiDeps['policies'], 'authorizer'>) {
    this.#policies = policies;
  }

  /** See {@link RequestAccess.possibleActions}. */
  of(
    { principal, role, scope }: Pick<Caller, 'principal' | 'role' | 'scope'>,
    access: Pick<RequestAccess, 'possibleActions'>,
  ): Promise<ApiAction[]> {
    const key = JSON.stringify([this.#policies.authorizer.epoch, principal, role, scope]);
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = access.possibleActions();
    this.#found.set(key, found);
    found.catch(() => this.#found.delete(key));
    const [oldest] = this.#found.keys();
    if (oldest !== undefined && this.#found.size > POSSIBLE_ACTIONS_KEPT) {
      this.#found.delete(oldest);
    }
    return found;
  }
}
