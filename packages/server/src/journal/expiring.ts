/** Expires old entries: first it is on the log, then they are gone. @module */
import { type Act, type Expiry, actEntry } from '../audit/index.ts';
import type { Clock, Log } from '../kernel/index.ts';
import type { Keyring } from '../persistence/index.ts';
import type { GroupCommit } from './group-commit.ts';
import type { JournalReader } from './journal-reader.ts';
import { EXPIRIES_PER_ACT } from './limits.ts';

/** What expiring needs. */
export interface ExpiringDeps {
  readonly commit: Pick<GroupCommit, 'append'>;
  readonly worker: Pick<JournalReader, 'foreseeExpiries' | 'planExpiries' | 'doExpiries'>;
  readonly keyring: Pick<Keyring, 'only'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The expiries of one journal, one after the other. */
export class Expiring {
  readonly #deps: ExpiringDeps;
  #last: Promise<void> = Promise.resolve();

  constructor(deps: ExpiringDeps) {
    this.#deps = deps;
  }

  /** See `Journal.expire`. */
  expire(expiries: readonly Expiry[]): Promise<void> {
    return this.#enqueue(async () => {
      const { worker } = this.#deps;
      for (let at = 0; at < expiries.length; at += EXPIRIES_PER_ACT) {
        const foreseen = await worker.foreseeExpiries(expiries.slice(at, at + EXPIRIES_PER_ACT));
        await this.#record(foreseen);
        await worker.planExpiries(foreseen);
      }
      await worker.doExpiries();
    });
  }

  /**
   * Goes on with what a crash left. Its act is on the log: a plan that somebody put into the file
   * gets none here, and so shows in a verification.
   */
  resume(): void {
    this.#enqueue(async () => {
      await this.#deps.worker.doExpiries();
    }).catch((error: unknown) => {
      const event = { 'event.action': 'log.expire', 'event.outcome': 'failure' };
      const fields = { ...event, 'error.message': String(error) };
      this.#deps.log.error(fields, 'old entries cannot be removed; the next expiry goes on');
    });
  }

  /** One at a time: what is done must be on the log, and nothing else may be planned then. */
  #enqueue(task: () => Promise<void>): Promise<void> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => {});
    return done;
  }

  #record(expiries: readonly Expiry[]): Promise<void> {
    if (expiries.length === 0) return Promise.resolve();
    const { commit, keyring, clock } = this.#deps;
    const act: Act = { action: 'log.expire', principal: 'server', facts: { expiries } };
    return new Promise((resolve) => {
      const key = keyring.only('acts');
      commit.append(actEntry(act, clock.nowMs()), { key, done: () => resolve() });
    });
  }
}
