/** The policy as a whole: its versions, which one is in force, and what may become one. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Clock } from '../kernel/index.ts';
import type { SealedStore } from '../persistence/index.ts';
import { Authorizer, type AuthorizerDeps } from './authorizer.ts';
import { checkPolicyText } from './policy-text.ts';
import { SCHEMA_SHA256 } from './schema.ts';
import { secondPersonGaps } from './second-person-gaps.ts';
import type { Decision, DecisionRequest, PersonPrincipal } from './subjects.ts';
import { type DecisionChange, changesBetween, decideBy } from './trial.ts';
import {
  DEFAULT_POLICY,
  type PolicyProposal,
  PolicyVersions,
  type PolicyVersion,
  RECOVERY_POLICY,
  textSha256,
} from './versions.ts';

/** What a server begins with. */
export interface PolicyStart {
  /** The policy that comes with this Holdfast, when it is to become a version. */
  readonly shipped: PolicyVersion | undefined;
  /** Why the stored policy cannot be used: the recovery policy is in force then. */
  readonly problem: string | undefined;
}

/** The policy of one server. */
export class Policies {
  readonly authorizer: Authorizer;
  readonly #versions: PolicyVersions;

  constructor(store: SealedStore, deps: AuthorizerDeps & { readonly clock: Clock }) {
    this.authorizer = new Authorizer(deps);
    this.#versions = new PolicyVersions(store, deps);
  }

  /** The version in force. */
  get current(): PolicyVersion | undefined {
    return this.#versions.current;
  }

  byNumber(number: number): PolicyVersion | undefined {
    return this.#versions.byNumber(number);
  }

  /** A page of versions, newest first, of numbers below `before`. */
  page(query: { limit: number; before?: number | undefined }): PolicyVersion[] {
    return this.#versions.page(query);
  }

  /**
   * Puts the stored policy in force. Whoever never changed the policy gets the one of each new
   * release: it is given back, to be recorded and kept.
   */
  start(): PolicyStart {
    const { current } = this;
    const isOurs = current === undefined || this.#versions.isShipped(current);
    if (isOurs && current?.sha256 !== textSha256(DEFAULT_POLICY)) {
      const proposal = { text: DEFAULT_POLICY, author: 'server', reason: 'comes with Holdfast' };
      return { shipped: this.#versions.propose(proposal), problem: undefined };
    }
    const problem = current === undefined ? undefined : problemOf(current);
    this.authorizer.activate(problem === undefined ? (current?.text ?? '') : RECOVERY_POLICY);
    return { shipped: undefined, problem };
  }

  /**
   * What the next version will be, to be recorded and kept, or a refusal: `E_POLICY_INVALID` with
   * the lines of the mistakes, `E_POLICY_LOCKOUT` when none of `people` could set a policy any more.
   * @param people - empty when that does not matter, because who asks holds the data folder.
   */
  async propose(
    proposal: PolicyProposal,
    people: readonly PersonPrincipal[],
  ): Promise<PolicyVersion | Refusal> {
    const refusal = refusalOf(proposal.text) ?? (await lockoutOf(proposal.text, people));
    return refusal ?? this.#versions.propose(proposal);
  }

  /** Keeps a version and puts it in force, on live connections too. Refuses when another came first. */
  keep(version: PolicyVersion): Refusal | undefined {
    if (version.number !== (this.current?.number ?? 0) + 1) {
      return refuse('E_OPERATE_CONFLICT', `version ${version.number} was set in the meantime`);
    }
    this.#versions.keep(version);
    this.authorizer.activate(version.text);
    return undefined;
  }

  /** Which of the last decisions a text would make otherwise; refuses `E_POLICY_INVALID`. */
  async changesBy(text: string): Promise<DecisionChange[] | Refusal> {
    const refusal = refusalOf(text);
    if (refusal !== undefined) return refusal;
    const before = this.current?.text ?? '';
    return changesBetween({ before, after: text }, this.authorizer.recent());
  }

  /** What to think about in a text that may be set, in words. */
  warningsOf(text: string, people: readonly PersonPrincipal[]): Promise<string[]> {
    return secondPersonGaps(text, people);
  }

  /** Decides by a text, or by the policy in force; refuses `E_POLICY_INVALID`. */
  async decide(
    requests: readonly DecisionRequest[],
    text: string = this.current?.text ?? '',
  ): Promise<Decision[] | Refusal> {
    return refusalOf(text) ?? (await decideBy(text, requests));
  }
}

/** The mistakes of a text, with their lines, as one refusal. */
function refusalOf(text: string): Refusal | undefined {
  const problems = checkPolicyText(text);
  if (problems.length === 0) return undefined;
  const lines = problems.map(({ line, column, message }) =>
    line === 0 ? message : `line ${line}, column ${column}: ${message}`,
  );
  return refuse('E_POLICY_INVALID', lines.join('; '));
}

/** A policy that was checked against this very schema needs no second look: a start is quick. */
function problemOf({ text, schemaSha256 }: PolicyVersion): string | undefined {
  return schemaSha256 === SCHEMA_SHA256 ? undefined : refusalOf(text)?.detail;
}

/** Somebody must be able to set the next policy: with a second person, two must. */
async function lockoutOf(
  text: string,
  people: readonly PersonPrincipal[],
): Promise<Refusal | undefined> {
  if (people.length === 0) return undefined;
  const count = async (secondPerson: boolean): Promise<number> => {
    const context = { steppedUp: true, secondPerson };
    const requests = people.map((principal): DecisionRequest => {
      return { principal, action: 'policy:set', resource: { kind: 'server' }, context };
    });
    const decisions = await decideBy(text, requests);
    return decisions.filter(({ isPermitted }) => isPermitted).length;
  };
  if ((await count(false)) >= 1 || (await count(true)) >= 2) return undefined;
  return refuse('E_POLICY_LOCKOUT', 'under it, nobody could set a policy any more');
}
