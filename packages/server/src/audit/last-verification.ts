/** When the log was verified last, by whom, and what was found: kept beside the log. @module */
import { z } from 'zod';
import type { Clock } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';

const VerificationSchema = z.strictObject({
  atMs: z.int().min(0),
  /** Principal that asked for it. */
  by: z.string(),
  isGood: z.boolean(),
  /** Entries of the log then; absent when it could not be read. */
  size: z.int().min(0).optional(),
  findings: z.int().min(0),
  /** Why it came to no end. */
  why: z.string().optional(),
});
/** A verification of the whole log. */
export type Verification = Readonly<z.infer<typeof VerificationSchema>>;

const RecordSchema = z.strictObject({
  /** Since when verifications are noted here. */
  sinceMs: z.int().min(0),
  latest: VerificationSchema.optional(),
});

/** The last verification that this server knows of. The act on the log is what proves it. */
export class LastVerification {
  readonly #records: Collection<z.infer<typeof RecordSchema>>;
  readonly sinceMs: number;
  #latest: Verification | undefined;

  constructor(store: Pick<SealedStore, 'collection'>, { clock }: { readonly clock: Clock }) {
    // Not counted: an older copy of it does no harm.
    this.#records = store.collection('log-verification', RecordSchema, { isCounted: false });
    const kept = this.#records.read(ONLY);
    this.sinceMs = kept?.sinceMs ?? clock.nowMs();
    this.#latest = kept?.latest;
    if (kept === undefined) this.#records.write(ONLY, { sinceMs: this.sinceMs });
  }

  /** Undefined while there was none. */
  get latest(): Verification | undefined {
    return this.#latest;
  }

  /** Keeps one that has just ended. */
  note(verification: Verification): void {
    this.#latest = verification;
    this.#records.write(ONLY, { sinceMs: this.sinceMs, latest: verification });
  }
}

/** The one record of the collection. */
const ONLY = 'only';
