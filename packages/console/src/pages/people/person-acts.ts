/** What can be done about a person, and what comes of it. @module */
import type { PersonView } from '@holdfast/protocol/api';

/** An act on a person. */
export interface PersonAct {
  readonly name: 'role' | 'reset-factors' | 'disable' | 'enable' | 'remove';
  /** As it stands in a menu. */
  readonly label: string;
  /** What happens, for the dialog. */
  readonly effect: string;
  readonly isDangerous: boolean;
  readonly isFor: (person: PersonView) => boolean;
}

/** All of them. */
export const PERSON_ACTS: readonly PersonAct[] = [
  {
    name: 'role',
    label: 'Change the role…',
    effect: 'It holds at once, also for sessions and connections that are open.',
    isDangerous: false,
    isFor: () => true,
  },
  {
    name: 'reset-factors',
    label: 'Reset how they sign in…',
    effect:
      'Everything they sign in with is taken away, their sessions end, and you get a new invitation to hand over. Make sure that you talk to the right person: this is how accounts are stolen.',
    isDangerous: true,
    isFor: ({ state }) => state !== 'disabled',
  },
  {
    name: 'disable',
    label: 'Disable…',
    effect: 'Their sessions and connections end at once, and their API tokens rest.',
    isDangerous: true,
    isFor: ({ state }) => state !== 'disabled',
  },
  {
    name: 'enable',
    label: 'Let in again…',
    effect: 'They can sign in again with what they had, and their API tokens count again.',
    isDangerous: false,
    isFor: ({ state }) => state === 'disabled',
  },
  {
    name: 'remove',
    label: 'Remove…',
    effect:
      'Their account, sessions and API tokens end for good. What they did stays on the audit log.',
    isDangerous: true,
    isFor: () => true,
  },
];
