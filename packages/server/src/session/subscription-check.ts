/** Looks again at what sessions are subscribed to, when who may hear what has changed. @module */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CancelTimer, Clock } from '../kernel/index.ts';
import { CHECKED_SESSIONS_PER_TURN, FOREIGN_CHECK_DELAY_MS } from './limits.ts';
import type { Session } from './session.ts';

/** Which sessions are looked at: all, or those that hear what is not their own. */
export type CheckScope = 'all' | 'foreign';

/** What a check needs. */
export interface SubscriptionCheckDeps {
  readonly clock: Clock;
  readonly sessions: () => Iterable<Session>;
  /** Looks at one session, and ends it when it lost a permission. */
  readonly check: (session: Session) => void;
}

/**
 * Goes through the sessions in slices, so that messages flow on in between. Whatever asks for it
 * while it runs makes it run once more.
 */
export class SubscriptionCheck {
  readonly #deps: SubscriptionCheckDeps;
  #wanted: CheckScope | undefined;
  #isRunning = false;
  #cancelTimer: CancelTimer | undefined;
  #isClosed = false;

  constructor(deps: SubscriptionCheckDeps) {
    this.#deps = deps;
  }

  /** Another policy is in force: looks at all sessions, at once. */
  checkAll(): void {
    this.#want('all');
  }

  /**
   * A device has changed: who hears it, and is not it, is looked at a moment later, once for all
   * devices that change in the meantime.
   */
  checkForeign(): void {
    this.#cancelTimer ??= this.#deps.clock.after(FOREIGN_CHECK_DELAY_MS, () => {
      this.#cancelTimer = undefined;
      this.#want('foreign');
    });
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
  }

  #want(scope: CheckScope): void {
    this.#wanted = this.#wanted === 'all' ? 'all' : scope;
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (;;) {
      const scope = this.#wanted;
      if (scope === undefined || this.#isClosed) break;
      this.#wanted = undefined;
      await this.#runOnce(scope);
    }
    this.#isRunning = false;
  }

  async #runOnce(scope: CheckScope): Promise<void> {
    let count = 0;
    // A copy: sessions come and go while others have their turn. What is new was checked just now.
    const sessions = [...this.#deps.sessions()];
    for (const session of sessions) {
      if (this.#isClosed) return;
      if (scope === 'all' || hearsOthers(session)) this.#deps.check(session);
      count += 1;
      if (count % CHECKED_SESSIONS_PER_TURN === 0) await nextTurn();
    }
  }
}

function hearsOthers({ principal, filters }: Session): boolean {
  const own = `d/${principal}/`;
  for (const filter of filters) {
    if (!filter.startsWith(own)) return true;
  }
  return false;
}
