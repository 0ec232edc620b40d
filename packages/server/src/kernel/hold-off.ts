/** Holds off whoever fails again and again, for a growing time. @module */
import type { Clock } from './clock.ts';

/** The bounds of a {@link HoldOff}. */
export interface HoldOffLimits {
  /** Failures that a key may owe before it is held off. */
  readonly failuresMax: number;
  /** Milliseconds after which one failure is forgiven: a slower failing never adds up. */
  readonly forgiveMs: number;
  /** Milliseconds of the first hold-off; each one after it is twice as long. */
  readonly holdMs: number;
  /** Milliseconds beyond which a hold-off does not grow. */
  readonly holdMsMax: number;
  /** Milliseconds without a failure and without a hold-off after which a key is forgotten. */
  readonly forgetMs: number;
  /** Keys remembered; when there are more, the one that has not failed for longest is forgotten. */
  readonly keysMax: number;
}

interface Debtor {
  /** Failures that are neither forgiven nor made good by a success. */
  owed: number;
  failedAtMs: number;
  heldUntilMs: number;
  /** Hold-offs since the last success. */
  holdCount: number;
}

/**
 * Keeps an account for each key: an address, or a device that connects many times a minute. A
 * failure adds one to what the key owes; each success, and each `forgiveMs`, takes one away. A key
 * that owes `failuresMax` is held off for `holdMs`; if it goes on failing, for twice as long each
 * time. So only those are held off whose failures outnumber their successes at a rate that costs
 * something. A success ends the growth: the next hold-off is short again.
 */
export class HoldOff {
  readonly #clock: Clock;
  readonly #limits: HoldOffLimits;
  /** The first key is the one that has not failed for longest. */
  readonly #debtors = new Map<string, Debtor>();

  constructor(clock: Clock, limits: HoldOffLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Milliseconds for which a key is still held off; 0 when it is not. */
  heldMs(key: string): number {
    const debtor = this.#debtors.get(key);
    if (debtor === undefined) return 0;
    return Math.max(0, debtor.heldUntilMs - this.#clock.monotonicMs());
  }

  /**
   * A key has failed.
   * @param options - `allowance`: how much more than `failuresMax` this key may owe now, for one
   *   behind which many others do well.
   * @returns milliseconds for which it is held off from now on; 0 when this failure changes nothing.
   */
  fail(key: string, { allowance = 0 }: { allowance?: number } = {}): number {
    const { failuresMax, holdMs, holdMsMax } = this.#limits;
    const nowMs = this.#clock.monotonicMs();
    const debtor = this.#renew(key, nowMs);
    const owedMax = failuresMax + allowance;
    debtor.owed = Math.min(owedMax, this.#owed(debtor, nowMs) + 1);
    debtor.failedAtMs = nowMs;
    if (debtor.owed < owedMax || nowMs < debtor.heldUntilMs) return 0;
    const heldMs = Math.min(holdMsMax, holdMs * 2 ** debtor.holdCount);
    debtor.holdCount += 1;
    debtor.heldUntilMs = nowMs + heldMs;
    return heldMs;
  }

  /**
   * Takes a failure back that was counted ahead, while it was not known yet. A hold-off ends that
   * would not be without it.
   */
  takeBack(key: string): void {
    const debtor = this.#debtors.get(key);
    if (debtor === undefined) return;
    debtor.owed = Math.max(0, debtor.owed - 1);
    const nowMs = this.#clock.monotonicMs();
    if (debtor.heldUntilMs <= nowMs) return;
    debtor.heldUntilMs = nowMs;
    debtor.holdCount -= 1;
  }

  /** A key has done well. */
  succeed(key: string): void {
    const debtor = this.#debtors.get(key);
    if (debtor === undefined) return;
    debtor.owed = Math.max(0, debtor.owed - 1);
    debtor.holdCount = 0;
  }

  #owed({ owed, failedAtMs }: Debtor, nowMs: number): number {
    return Math.max(0, owed - (nowMs - failedAtMs) / this.#limits.forgiveMs);
  }

  /** The account of a key, put at the end of the line. */
  #renew(key: string, nowMs: number): Debtor {
    const known = this.#debtors.get(key);
    if (known !== undefined) {
      this.#debtors.delete(key);
      this.#debtors.set(key, known);
      const quietSinceMs = Math.max(known.failedAtMs, known.heldUntilMs);
      if (nowMs - quietSinceMs >= this.#limits.forgetMs) {
        known.owed = 0;
        known.holdCount = 0;
      }
      return known;
    }
    const [oldest] = this.#debtors.keys();
    if (oldest !== undefined && this.#debtors.size >= this.#limits.keysMax) {
      this.#debtors.delete(oldest);
    }
    const debtor = { owed: 0, failedAtMs: nowMs, heldUntilMs: nowMs, holdCount: 0 };
    this.#debtors.set(key, debtor);
    return debtor;
  }
}
