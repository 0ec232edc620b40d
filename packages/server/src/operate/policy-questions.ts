/** Questions about the policy, in the words of people. @module */
import { Refusal } from '@holdfast/protocol';
import type { ExplainRequest, Explanation } from '@holdfast/protocol/api';
import {
  type DecisionContext,
  type DecisionRequest,
  PLAIN_CONTEXT,
  type TermWorld,
  parseAction,
  parsePrincipal,
  parseResource,
} from '../policy/index.ts';
import type { ApiDeps } from './deps.ts';
import { decisionWord } from './policy-views.ts';

type QuestionDeps = Pick<ApiDeps, 'policies' | 'registry' | 'people'>;

/** Reads who, what and on which thing. Refuses `E_POLICY_TERM`. */
export function requestOf(
  { principal, action, resource }: ExplainRequest,
  { registry, people }: Pick<QuestionDeps, 'registry' | 'people'>,
): DecisionRequest | Refusal {
  const world: TermWorld = {
    deviceOf: (id) => registry.byId(id),
    roleOf: (name) => people.roleOf(name),
  };
  const who = parsePrincipal(principal, world);
  if (who instanceof Refusal) return who;
  const does = parseAction(action);
  if (does instanceof Refusal) return does;
  const what = parseResource(resource, { world, principal: who });
  return what instanceof Refusal ? what : { principal: who, action: does, resource: what };
}

/** What the policy in force decides, by which rules, and what would make a yes of a no. */
export function explain(question: ExplainRequest, deps: QuestionDeps): Explanation | Refusal {
  const request = requestOf(question, deps);
  if (request instanceof Refusal) return request;
  const { authorizer } = deps.policies;
  const decide = (context: DecisionContext) => authorizer.peek({ ...request, context });
  const decision = decide(PLAIN_CONTEXT);
  const rules = authorizer.rules.filter(({ name }) => decision.rules.includes(name));
  const explained = {
    decision: decisionWord(decision),
    rules: rules.map(({ name, line, text }) => ({ name, line, text })),
  };
  if (decision.isPermitted || !decide({ steppedUp: true, secondPerson: true }).isPermitted) {
    return explained;
  }
  const isStepUp = decide({ steppedUp: true, secondPerson: false }).isPermitted;
  return { ...explained, missing: isStepUp ? 'step-up' : 'second-person' };
}
