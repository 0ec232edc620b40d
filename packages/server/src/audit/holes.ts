/** Entries of which only the hash is left, and the acts that say why. @module */
import type { Entry } from '@holdfast/protocol';
import { z } from 'zod';
import type { Findings } from './findings.ts';

/**
 * Acts that destroy data keys, with what they destroyed as `keyRefs`. What such an act is about can
 * be gone; what no act is about must be there.
 */
const ERASING_ACTS: ReadonlySet<string> = new Set([
  'keys.destroy',
  'device.erase',
  'device.reset',
  'device.give-away',
]);
const EXPIRING_ACT = 'log.expire';

const ErasureSchema = z.object({ facts: z.object({ keyRefs: z.array(z.int()) }) });
const ExpirySchema = z.object({
  facts: z.object({
    expiries: z.array(z.object({ keyRef: z.int(), before: z.int() })),
  }),
});

/** Segments of one data key that are gone. */
interface Gap {
  readonly keyRef: number;
  /** First and last entry that a segment of them could have held. */
  readonly first: number;
  last: number;
  /** First entry of the last batch with one. */
  lastBatch: number;
}

/**
 * Holds every hole against the acts. Which key sealed an entry is not a question here: the layout
 * of its batch says it.
 */
export class Holes {
  readonly #erased = new Map<number, Gap>();
  readonly #expired = new Map<number, Gap>();
  /** Data keys that were destroyed, by the acts that were learned. */
  readonly #destroyed = new Set<number>();
  /** By data key: the entry before which its segments may be gone. */
  readonly #expiredBefore = new Map<number, number>();

  /** Whether an act of this name can explain holes: only those need be read. */
  static isExplaining(action: string): boolean {
    return action === EXPIRING_ACT || ERASING_ACTS.has(action);
  }

  /** A segment whose data key was destroyed, in a batch of these entries. */
  addErased(keyRef: number, first: number, count: number): void {
    widen(this.#erased, { keyRef, first, last: first + count - 1, lastBatch: first });
  }

  /** A segment that was expired. */
  addExpired(keyRef: number, first: number, count: number): void {
    widen(this.#expired, { keyRef, first, last: first + count - 1, lastBatch: first });
  }

  /**
   * Learns what an act says.
   * @returns false when it has not the form of its action.
   */
  learn({ topic, body }: Pick<Entry, 'topic' | 'body'>): boolean {
    const content = parseJson(body);
    if (topic === EXPIRING_ACT) {
      const parsed = ExpirySchema.safeParse(content);
      for (const { keyRef, before } of parsed.data?.facts.expiries ?? []) {
        this.#expiredBefore.set(keyRef, Math.max(before, this.#expiredBefore.get(keyRef) ?? 0));
      }
      return parsed.success;
    }
    const parsed = ErasureSchema.safeParse(content);
    for (const keyRef of parsed.data?.facts.keyRefs ?? []) this.#destroyed.add(keyRef);
    return parsed.success;
  }

  /** The entry before which segments of a key may be gone, by the acts that were learned. */
  expiredBefore(keyRef: number): number {
    return this.#expiredBefore.get(keyRef) ?? 0;
  }

  /** Whether the acts that were learned explain all holes. */
  get areExplained(): boolean {
    return this.#unexplained().next().done === true;
  }

  /** Names every hole that no act explains. */
  report(findings: Findings): void {
    for (const { first, last, what } of this.#unexplained()) findings.add(what, first, last);
  }

  *#unexplained(): Generator<{ first: number; last: number; what: string }> {
    for (const { keyRef, first, last } of this.#erased.values()) {
      if (this.#destroyed.has(keyRef)) continue;
      const what = `data key ${keyRef} was destroyed, and no act on the log says so: what it sealed in these entries is lost`;
      yield { first, last, what };
    }
    for (const { keyRef, first, last, lastBatch } of this.#expired.values()) {
      const before = this.expiredBefore(keyRef);
      if (lastBatch < before || this.#destroyed.has(keyRef)) continue;
      const what = `what data key ${keyRef} sealed was removed, and no act on the log says that it had expired`;
      yield { first: Math.max(first, before), last, what };
    }
  }
}

function widen(gaps: Map<number, Gap>, added: Gap): void {
  const gap = gaps.get(added.keyRef);
  if (gap === undefined) gaps.set(added.keyRef, added);
  // Batches come in their order.
  else Object.assign(gap, { last: added.last, lastBatch: added.lastBatch });
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}
