/** Versions of what the server signs itself: they grow for ever, whatever happens to it. @module */
import { z } from 'zod';
import type { Clock } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';

const MarkSchema = z.object({ version: z.int() });
const ONLY = 'only';

/** Versions count seconds since then. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

/** A clock that is set to 2092 or later moves versions no further: 47 million are left to count. */
const BY_TIME_MAX = 2_100_000_000;

/** Versions that are written down ahead, in one write: a crash skips the rest of them. */
const AHEAD = 60;

/**
 * Devices refuse a version that is lower than one they have seen. So a version is the time in
 * seconds, or one more than the one before: what is restored from a backup goes on above what was
 * given out after it. Against a clock that is set back, the highest version is kept ahead of its
 * use.
 */
export class VersionSequence {
  readonly #clock: Clock;
  readonly #marks: Collection<{ version: number }>;
  #floor: number;
  #kept: number;

  constructor({
    clock,
    store,
  }: {
    readonly clock: Clock;
    readonly store: Pick<SealedStore, 'collection'>;
  }) {
    this.#clock = clock;
    this.#marks = store.collection('update-version', MarkSchema);
    this.#kept = this.#marks.read(ONLY)?.version ?? 0;
    this.#floor = this.#kept;
  }

  /**
   * A version above all that earlier runs of the server have given.
   * @param before - the version of the document that it replaces; 0 when that is not known.
   */
  next(before: number): number {
    const seconds = Math.floor((this.#clock.nowMs() - EPOCH_MS) / 1_000);
    const version = Math.max(this.#floor + 1, before + 1, Math.min(seconds, BY_TIME_MAX));
    if (version > this.#kept) {
      this.#kept = version + AHEAD;
      this.#marks.write(ONLY, { version: this.#kept });
    }
    return version;
  }

  /** A document of this version is forgotten: all that come are above it. */
  forget(version: number): void {
    this.#floor = Math.max(this.#floor, version);
  }
}
