/** The connection of an app, which renews its certificate in time. @module */
import { X509Certificate } from 'node:crypto';
import type { AppIdentity } from './app-client.ts';
import {
  RENEWAL_CHECK_MS_MAX,
  RENEWAL_FRACTION,
  RENEWAL_RETRY_MS_MAX,
  RENEWAL_RETRY_MS_MIN,
} from './limits.ts';
import { Transport } from './transport.ts';

/** How an app renews its certificate by itself. */
export interface AppRenewal {
  /**
   * Keeps a renewed identity in place of the present one, such as in a file. It is used once this
   * has resolved, and its first use ends the present one. When it rejects, the present one goes on.
   */
  readonly keep: (identity: AppIdentity) => Promise<void> | void;
  /** Is told of a renewal that failed; it is tried again. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
  /** Milliseconds since 1970; that of this machine where none is given. */
  readonly nowMs?: (() => number) | undefined;
}

/** Asks the server for a new identity in place of this one. */
export type AskForIdentity = (transport: Transport, identity: AppIdentity) => Promise<AppIdentity>;

/** The transport of an app, with its present certificate. */
export class AppConnection {
  readonly #ask: AskForIdentity;
  readonly #renewal: AppRenewal | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  #identity: AppIdentity;
  #transport: Transport;
  #renewing: Promise<void> | undefined;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #retryMs = RENEWAL_RETRY_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(identity: AppIdentity, ask: AskForIdentity, renewal?: AppRenewal) {
    this.#identity = identity;
    this.#transport = transportOf(identity);
    this.#ask = ask;
    this.#renewal = renewal;
    if (renewal !== undefined) this.#wait();
  }

  /** Calls `act` with the transport, after a renewal that is due. */
  async use<T>(act: (transport: Transport) => Promise<T>): Promise<T> {
    await this.#renewIfDue();
    const done = act(this.#transport);
    this.#underWay.add(done);
    try {
      return await done;
    } finally {
      this.#underWay.delete(done);
    }
  }

  /** A new identity, which is not used here. */
  ask(): Promise<AppIdentity> {
    return this.use((transport) => this.#ask(transport, this.#identity));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#transport.close();
  }

  /** An app that asks nothing, because it listens over MQTT, renews as well. */
  #wait(): void {
    if (this.#isClosed) return;
    const waitMs = Math.min(RENEWAL_CHECK_MS_MAX, Math.max(0, this.#dueMs() - this.#nowMs()));
    this.#timer = setTimeout(() => void this.#renewIfDue().finally(() => this.#wait()), waitMs);
    // It must not keep a program alive that is done.
    this.#timer.unref();
  }

  async #renewIfDue(): Promise<void> {
    if (this.#renewal === undefined || this.#nowMs() < this.#dueMs()) return;
    this.#renewing ??= this.#renew(this.#renewal).finally(() => (this.#renewing = undefined));
    await this.#renewing;
  }

  /** Never rejects: what the app wants to do goes on with the present certificate. */
  async #renew({ keep, onFailure }: AppRenewal): Promise<void> {
    try {
      const next = await this.#ask(this.#transport, this.#identity);
      await keep(next);
      // The first use of the next one would cut these off.
      await Promise.allSettled(this.#underWay);
      this.#transport.close();
      this.#identity = next;
      this.#transport = transportOf(next);
      this.#retryMs = RENEWAL_RETRY_MS_MIN;
      if (this.#isClosed) this.#transport.close();
    } catch (error) {
      this.#retryAtMs = this.#nowMs() + this.#retryMs;
      this.#retryMs = Math.min(RENEWAL_RETRY_MS_MAX, this.#retryMs * 2);
      onFailure?.(error);
    }
  }

  #dueMs(): number {
    const { validFromDate, validToDate } = new X509Certificate(this.#identity.certificatePem);
    const lifeMs = validToDate.getTime() - validFromDate.getTime();
    return Math.max(validFromDate.getTime() + lifeMs * RENEWAL_FRACTION, this.#retryAtMs);
  }

  #nowMs(): number {
    return this.#renewal?.nowMs?.() ?? Date.now();
  }
}

function transportOf({ url, anchorPem, certificatePem, keyPem }: AppIdentity): Transport {
  return new Transport({ url, anchorPem, identity: { certificatePem, keyPem } });
}
