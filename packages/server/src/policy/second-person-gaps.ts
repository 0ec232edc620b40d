/** Ways around a second person, in a policy that asks for one somewhere. @module */
import { ROLE_NAMES } from '../registry/index.ts';
import type { ActionOn } from './actions.ts';
import { CompiledPolicy } from './compiled-policy.ts';
import type { DecisionRequest, PersonPrincipal } from './subjects.ts';
import { decideBy } from './trial.ts';

/**
 * Whoever may do one of these alone can be both persons: by a second account, by a group at the
 * OpenID provider, or by another policy.
 */
const WAYS_AROUND = [
  'person:manage',
  'oidc:manage',
  'policy:set',
] as const satisfies readonly ActionOn<'server'>[];

/**
 * Warnings for a checked policy: when any of its rules asks for a second person, and somebody may
 * make themselves one.
 */
export async function secondPersonGaps(
  text: string,
  people: readonly PersonPrincipal[],
): Promise<string[]> {
  if (!asksForSecondPerson(text)) return [];
  const anybody = ROLE_NAMES.map((role): PersonPrincipal => ({
    kind: 'person',
    id: 'person:',
    role,
  }));
  const gaps: string[] = [];
  for (const action of WAYS_AROUND) {
    const requests = [...anybody, ...people].map((principal): DecisionRequest => {
      const context = { steppedUp: true, secondPerson: false };
      return { principal, action, resource: { kind: 'server' }, context };
    });
    const decisions = await decideBy(text, requests);
    if (decisions.some(({ isPermitted }) => isPermitted)) gaps.push(action);
  }
  if (gaps.length === 0) return [];
  return [
    `It asks for a second person, but not for ${gaps.join(', ')}: whoever may do that alone can ` +
      'make a second person of themselves, or take the rule away. Ask for one there, too.',
  ];
}

function asksForSecondPerson(text: string): boolean {
  const policy = new CompiledPolicy(text);
  try {
    return policy.mentions.looksAt('secondPerson');
  } finally {
    policy.close();
  }
}
