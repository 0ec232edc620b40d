/** How far an update has come, step by step. Pure. @module */
import { UPDATE_STATE_WORDS } from '@holdfast/protocol';

/** A step of an update. */
export interface UpdateStep {
  readonly label: string;
  readonly state: 'done' | 'now' | 'open' | 'failed';
}

/** What an update goes through, in its order. */
const STEPS = ['downloading', 'verified', 'staged', 'rebooting', 'trial', 'confirmed'] as const;
const WENT_BACK = ['reverting', 'reverted', 'failed'] as const;

/** The steps for a state that a device told; none for one that is not under way. */
export function updateSteps(state: string): readonly UpdateStep[] {
  const back = WENT_BACK.find((one) => one === state);
  if (back !== undefined) return [{ label: UPDATE_STATE_WORDS[back], state: 'failed' }];
  const at = STEPS.findIndex((one) => one === state);
  if (at === -1) return [];
  return STEPS.map((one, place) => {
    const label = UPDATE_STATE_WORDS[one];
    if (place < at || state === 'confirmed') return { label, state: 'done' };
    return { label, state: place === at ? 'now' : 'open' };
  });
}
