/** What a start of the device means for the update that the journal knows of. @module */
import { RESTARTS_SPARE } from './limits.ts';
import type { BootState, SlotName } from './slots.ts';
import type { CurrentUpdate } from './update-record.ts';

/** How it goes on. */
export type BootVerdict =
  /** As the journal says. */
  | 'go-on'
  /** The new image runs, and has to show that it is good. */
  | 'trial'
  /** The boot loader holds the new image for confirmed. */
  | 'confirmed'
  /** The journal knows that it is confirmed, the boot loader does not. */
  | 'confirm-again'
  /** The boot loader went back, or an interrupted revert is complete. */
  | 'reverted'
  /** The new image is marked, and was not started yet. */
  | 'restart'
  /** It is marked, and the boot loader does not start it. */
  | 'never-started'
  /** The new image runs, and must not. */
  | 'go-back'
  /** A mark of which the journal knows nothing. */
  | 'unmark';

/** What is known at the start. */
export interface BootFacts {
  readonly update: CurrentUpdate;
  readonly running: SlotName;
  readonly boot: BootState;
  /** Tries that a trial is given. */
  readonly tries: number;
}

/**
 * Judges a start. The boot loader is believed about what runs and what is marked, the journal
 * about what was verified: an image on trial that the journal does not know is not confirmed.
 */
export function judgeBoot(facts: BootFacts): BootVerdict {
  const { update, running, boot } = facts;
  const { slot: target, state } = update;
  const isTargetUp = target !== undefined && running === target;
  switch (state) {
    case 'staged':
    case 'rebooting':
    case 'trial':
      return isTargetUp ? judgeTarget(boot, target) : judgeOld(facts);
    case 'reverting':
      if (!isTargetUp) return 'reverted';
      return boot.trial === undefined && boot.slot === target ? 'confirmed' : 'go-back';
    case 'confirmed':
      if (isTargetUp && boot.trial === target) return 'confirm-again';
      return judgeStray(facts);
    case 'idle':
    case 'downloading':
    case 'verified':
    case 'reverted':
    case 'failed':
      return judgeStray(facts);
  }
}

/** The new image runs. */
function judgeTarget(boot: BootState, target: SlotName): BootVerdict {
  if (boot.trial === target) return 'trial';
  return boot.slot === target ? 'confirmed' : 'go-back';
}

/** The image before runs, and the update is beyond `verified`. */
function judgeOld({ update, boot, tries }: BootFacts): BootVerdict {
  const isMarked = boot.trial !== undefined && boot.trial === update.slot;
  if (update.state === 'trial') return 'reverted';
  // Neither was the mark set, nor the new image started.
  if (!isMarked) return 'go-on';
  if (boot.tries === 0) return 'reverted';
  if (update.state === 'staged') return 'go-on';
  return update.restarts > tries + RESTARTS_SPARE ? 'never-started' : 'restart';
}

/** Nothing is to be on trial. */
function judgeStray({ running, boot }: BootFacts): BootVerdict {
  if (boot.trial === undefined) return 'go-on';
  return running === boot.trial ? 'go-back' : 'unmark';
}
