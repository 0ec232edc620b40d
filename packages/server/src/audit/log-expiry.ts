/** Takes the old segments of a data key out of the log, a slice at a time. @module */
import { transaction } from '../persistence/thread.ts';
import type { LogFiles, StoredBatch, StoredExpiry } from './log-files.ts';
import type { SegmentIndex } from './segment-index.ts';
import { expiredSegment, splitSegments } from './segment.ts';

/** What is to expire, or has: the segments of a key in batches of which every entry is older. */
export interface Expiry {
  readonly keyRef: number;
  /** Index of the first entry that stays. */
  readonly before: number;
}

/**
 * Expires segments. A segment that has expired leaves its header in its batch, so that the index
 * and the count of entries stay right; the hashes of its entries stay in the tree. The newest
 * segment of a key always stays: the replay window of its device begins there after a restart.
 *
 * What is planned is on the disk, so a run that was killed is taken up again by the next one.
 */
export class LogExpiry {
  readonly #files: LogFiles;
  readonly #index: SegmentIndex;

  constructor(files: LogFiles, index: SegmentIndex) {
    this.#files = files;
    this.#index = index;
  }

  /**
   * Gives what would come of expiries: each ends with a batch. Those that would take nothing out
   * are left out.
   */
  foresee(expiries: readonly Expiry[], size: number): Expiry[] {
    return expiries
      .map(({ keyRef, before }) => this.#foreseeOne(keyRef, Math.min(before, size)))
      .filter((foreseen) => foreseen !== undefined)
      .map(({ keyRef, before }) => ({ keyRef, before }));
  }

  /**
   * Plans what of {@link foresee} an act on the log says. Nothing is taken out so far. What is
   * planned is done, after a crash as well: a plan before its act would be explained by nothing.
   */
  plan(expiries: readonly Expiry[], size: number): Expiry[] {
    return transaction(this.#files.database, () => {
      this.#settleProgress();
      return expiries
        .map(({ keyRef, before }) => this.#foreseeOne(keyRef, Math.min(before, size)))
        .filter((planned) => planned !== undefined)
        .map((planned) => {
          this.#files.planExpiry(planned);
          return { keyRef: planned.keyRef, before: planned.before };
        });
    });
  }

  /** What is planned and has not been done. */
  pending(): Expiry[] {
    return this.#files.pendingExpiries().map(({ keyRef, before }) => ({ keyRef, before }));
  }

  /**
   * Begins to do what is planned.
   * @returns a function that does the next slice, of about `bytes` bytes, in one transaction, and
   *   tells whether there is more.
   */
  begin(): (bytes: number) => boolean {
    const pending = this.#files.pendingExpiries();
    const before = new Map(pending.map((expiry) => [expiry.keyRef, expiry.before]));
    const end = pending.reduce((latest, expiry) => Math.max(latest, expiry.before), 0);
    const first = pending.reduce((earliest, { done }) => Math.min(earliest, done), end);
    let next = Math.max(first, this.#files.expiryProgress() ?? first);
    return (bytes) => {
      const reached = transaction(this.#files.database, () => {
        const at = this.#rewrite({ next, end, bytes }, before);
        if (at < end) this.#files.setExpiryProgress(at);
        else this.#files.finishExpiries();
        return at;
      });
      next = reached;
      return next < end;
    };
  }

  /** A run has come so far with all that was planned then; what is planned now begins elsewhere. */
  #settleProgress(): void {
    const progress = this.#files.expiryProgress();
    if (progress !== undefined) this.#files.foldExpiryProgress(progress);
  }

  #foreseeOne(keyRef: number, wanted: number): StoredExpiry | undefined {
    const newest = this.#index.batchBefore(keyRef, Number.MAX_SAFE_INTEGER);
    if (newest === undefined) return undefined;
    const span = this.#files.spanAt(wanted - 1);
    const isInside = span !== undefined && span.first + span.count > wanted;
    const before = Math.min(newest, isInside ? span.first : wanted);
    const from = this.#index.batchFrom(keyRef, this.#files.expiredUntil(keyRef));
    if (from === undefined || from >= before) return undefined;
    return { keyRef, done: from, before };
  }

  #rewrite(
    { next, end, bytes }: { next: number; end: number; bytes: number },
    before: ReadonlyMap<number, number>,
  ): number {
    let [at, read] = [next, 0];
    while (at < end && read < bytes) {
      const batch = this.#files.batchFrom(at);
      if (batch === undefined || batch.first >= end) return end;
      const rewritten = withoutExpired(batch, before);
      if (rewritten !== undefined) this.#files.replaceBatch({ ...batch, sealed: rewritten });
      read += batch.sealed.length;
      at = batch.first + Math.max(1, batch.count);
    }
    return at;
  }
}

/** The bytes of a batch without its expired segments; undefined when it has none to lose. */
function withoutExpired(
  { first, count, sealed }: StoredBatch,
  before: ReadonlyMap<number, number>,
): Uint8Array | undefined {
  let hasChanged = false;
  const parts = splitSegments(sealed)?.map((segment) => {
    const isOld = first + count <= (before.get(segment.keyRef) ?? 0);
    if (!isOld || segment.sealed.length === 0) return segment.stored;
    hasChanged = true;
    return expiredSegment(segment.keyRef);
  });
  return parts !== undefined && hasChanged ? Buffer.concat(parts) : undefined;
}
