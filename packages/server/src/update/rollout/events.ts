/** What can happen to a rollout. @module */
import type { UpdateReport } from '@holdfast/firmware';
import type { FindingSeverity } from '@holdfast/protocol/api';

/** Somebody does it, and says why. */
interface ByPerson {
  /** Principal: `person:<name>`, `local`. */
  readonly by: string;
  readonly reason: string;
}

/** A device that belongs to the rollout. */
export interface Member {
  readonly device: string;
  readonly group: string;
}

/** What was found about a device. */
export interface Finding {
  readonly code: string;
  readonly severity: FindingSeverity;
}

/** What a rollout asks of the world as it moves on. Answers are those of one moment. */
export interface Surroundings {
  /** Why a device cannot be offered the release now; undefined when it can. */
  readonly whyNot: (device: string) => string | undefined;
  /** What the director names for a device now. */
  readonly assigned: (device: string) => string | undefined;
  readonly groupOf: (device: string) => string | undefined;
  readonly hasOwner: (device: string) => boolean;
  /** When it was heard of last, in milliseconds since 1970; undefined when that is not known. */
  readonly lastSeenMs: (device: string) => number | undefined;
  /** For how long devices could tell what is wrong with them, without a gap, in milliseconds. */
  readonly watchedMs: () => number;
}

/** An event, at its time in milliseconds since 1970. */
export type RolloutEvent = { readonly atMs: number } & (
  | ({ readonly kind: 'ask' } & ByPerson)
  | ({
      readonly kind: 'start';
      readonly members: readonly Member[];
      /** Higher than that of all rollouts that were started before. */
      readonly number: number;
    } & ByPerson)
  | { readonly kind: 'join'; readonly members: readonly Member[] }
  | { readonly kind: 'tick'; readonly surroundings: Surroundings }
  | {
      readonly kind: 'report';
      readonly device: string;
      readonly report: Pick<UpdateReport, 'release' | 'state' | 'why'>;
    }
  | { readonly kind: 'finding'; readonly device: string; readonly finding: Finding }
  | ({ readonly kind: 'pause' } & ByPerson)
  | ({ readonly kind: 'resume' } & ByPerson)
  | ({ readonly kind: 'abort'; readonly forwardedTo?: string } & ByPerson)
  | { readonly kind: 'consent'; readonly device: string; readonly fromMs: number }
  /** Another rollout takes devices over. */
  | { readonly kind: 'withdraw'; readonly devices: readonly string[]; readonly why: string }
  /** The director names this for the device now. */
  | {
      readonly kind: 'assigned';
      readonly device: string;
      readonly release: string | undefined;
    }
  /** Notices that are on the log. */
  | { readonly kind: 'noticed'; readonly numbers: readonly number[] }
);
