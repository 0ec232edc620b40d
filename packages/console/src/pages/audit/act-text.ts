/** Acts in words. @module */
import type { ActView } from '@holdfast/protocol/api';
import { personName } from '../../parts/person-name.ts';

/** Who did it, without the kind in front where it is a person. */
export function whoText({ principal }: Pick<ActView, 'principal'>): string {
  return personName(principal);
}

/** The facts of an act, one after the other: `state before: active`. */
export function factTexts({ facts = {} }: Pick<ActView, 'facts'>): string[] {
  return Object.entries(facts).map(([name, value]) => {
    const words = name.replaceAll(/([a-z])([A-Z])/gu, '$1 $2').toLowerCase();
    return `${words}: ${typeof value === 'string' ? value || '(none)' : JSON.stringify(value)}`;
  });
}
