/** A rollout as it begins. @module */
import { hash } from 'node:crypto';
import type { RolloutPlan } from '@holdfast/protocol/api';
import { EMPTY_TALLY, type RolloutHead } from './rollout-records.ts';

const ID_CHARACTERS = 8;

/**
 * The id of the next rollout of a release. It depends on the one before it alone, so that a dry run
 * shows the very devices that the rollout then begins with.
 */
export function newRolloutId(release: string, last: string): string {
  return hash('sha256', `${last}${release}`, 'hex').slice(0, ID_CHARACTERS);
}

export function newHead({
  id,
  number,
  release,
  plan,
  by,
  atMs,
}: {
  id: string;
  number: number;
  release: string;
  plan: RolloutPlan;
  by: string;
  atMs: number;
}): RolloutHead {
  return {
    id,
    number,
    release,
    plan,
    state: 'draft',
    stateBy: by,
    stateReason: '',
    stateAtMs: atMs,
    createdBy: by,
    createdAtMs: atMs,
    stage: 0,
    stageAtMs: atMs,
    tallies: plan.stages.map(() => EMPTY_TALLY),
    beyond: EMPTY_TALLY,
    pardoned: plan.stages.map(() => 0),
    minute: { startMs: 0, offers: 0 },
    notices: [],
    nextNotice: 0,
  };
}
