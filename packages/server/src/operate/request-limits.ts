/** How many requests one principal, and one network, may make in a minute. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { type Clock, WindowCounter, networkOf } from '../kernel/index.ts';
import {
  DEVICES_LOOKED_AT_PER_MINUTE_MAX,
  FAILED_ATTEMPTS_PER_MINUTE_MAX,
  PRINCIPAL_REQUESTS_PER_MINUTE_MAX,
  STRANGER_REQUESTS_PER_MINUTE_MAX,
  WATCHED_NETWORKS_MAX,
  WATCHED_PRINCIPALS_MAX,
} from './limits.ts';

const WINDOW_MS = 60_000;

/** The counters of one API. */
export class RequestLimits {
  readonly #failures: WindowCounter;
  readonly #strangers: WindowCounter;
  readonly #principals: WindowCounter;
  readonly #looks: WindowCounter;

  constructor(clock: Clock) {
    const networks = { windowMs: WINDOW_MS, keysMax: WATCHED_NETWORKS_MAX };
    this.#failures = new WindowCounter(clock, networks);
    this.#strangers = new WindowCounter(clock, networks);
    const principals = { windowMs: WINDOW_MS, keysMax: WATCHED_PRINCIPALS_MAX };
    this.#principals = new WindowCounter(clock, principals);
    this.#looks = new WindowCounter(clock, principals);
  }

  /** Counts a failed sign-in. */
  countFailedSignIn(address: string): void {
    this.#failures.add(networkOf(address));
  }

  /** Takes back what was counted for a sign-in that did not fail after all. */
  takeBackFailedSignIn(address: string): void {
    this.#failures.takeBack(networkOf(address));
  }

  /** Refuses a sign-in from a network that has failed too often. Credentials go on to work. */
  heldOff(address: string): Refusal | undefined {
    const count = this.#failures.count(networkOf(address));
    if (count < FAILED_ATTEMPTS_PER_MINUTE_MAX) return undefined;
    return refuse('E_OPERATE_RATE', 'too many failures from this network');
  }

  /**
   * Counts a request without a valid credential, public or not. Who has one is not held back by
   * others behind the same router.
   */
  takeStranger(address: string): Refusal | undefined {
    const count = this.#strangers.add(networkOf(address));
    if (count <= STRANGER_REQUESTS_PER_MINUTE_MAX) return undefined;
    return refuse('E_OPERATE_RATE', 'too many requests without a credential from this network');
  }

  /** Counts a request of a principal, whichever of its credentials it shows. */
  takePrincipal(principal: string): Refusal | undefined {
    const count = this.#principals.add(principal);
    if (count <= PRINCIPAL_REQUESTS_PER_MINUTE_MAX) return undefined;
    return refuse('E_OPERATE_RATE', `more than ${PRINCIPAL_REQUESTS_PER_MINUTE_MAX} in a minute`);
  }

  /**
   * Counts devices that are looked at for a principal: a few requests in a large fleet cost as much
   * as thousands in a small one.
   */
  takeLooks(principal: string, devices: number): Refusal | undefined {
    const count = this.#looks.add(principal, devices);
    if (count <= DEVICES_LOOKED_AT_PER_MINUTE_MAX) return undefined;
    return refuse('E_OPERATE_RATE', 'too many searches of this large fleet in a minute');
  }
}
