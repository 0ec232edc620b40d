/** What the API asks of the keys of the data folder. @module */
import type { Refusal } from '@holdfast/protocol';
import type { KekCount, PurposeCount } from '../persistence/index.ts';

/** Recovery shares that were made. */
export interface EscrowFacts {
  readonly setId: string;
  /** ISO 8601, UTC. */
  readonly madeAt: string;
  readonly count: number;
  readonly threshold: number;
}

/** How the keys stand. */
export interface KeyFacts {
  readonly custody: { readonly name: string; readonly isInToken: boolean };
  readonly escrow: EscrowFacts | undefined;
  /** Oldest first. */
  readonly versions: readonly KekCount[];
  readonly purposes: readonly PurposeCount[];
  /** Undefined when no rotation is under way. */
  readonly rotation: { readonly waitsFor: readonly string[] } | undefined;
}

/** Shows the keys, and rotates the key-encryption key. */
export interface KeyCare {
  facts(): KeyFacts;
  /** Whether the data can be opened once its keeper cannot be asked, and whether it rotates. */
  summary(): { readonly isRecoverable: boolean; readonly isRotating: boolean };
  /** Why there can be no rotation now. */
  whyNotRotate(): Refusal | undefined;
  /** Makes a new version; the rest goes on in the background. @returns its number. */
  rotate(): number;
}
