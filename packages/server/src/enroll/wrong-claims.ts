/**
 * Slows wrong claims down and limits them, by network and by device.
 *
 * A right claim is never refused for what others did: it is looked at first, and only wrong ones
 * come here. So nobody can lock a device out, neither from its own network nor by its name. That
 * gives guessers nothing: a claim has 256 random bits.
 * @module
 */
import { type Refusal, refuse } from '@holdfast/protocol';
import { type Clock, WindowCounter, networkOf, sleep } from '../kernel/index.ts';
import {
  CLAIMED_ID_CHARACTERS_MAX,
  WRONG_DELAY_MS,
  WRONG_KEYS_MAX,
  WRONG_PER_ADDRESS_MAX,
  WRONG_PER_DEVICE_MAX,
  WRONG_WAITING_MAX,
  WRONG_WINDOW_MS,
} from './limits.ts';

/** Whom a wrong claim is counted for. */
export interface WrongAttempt {
  /** IP address; its whole network is counted, as {@link networkOf} tells. */
  readonly address: string;
  /** The device that the peer claims to be; it may not exist. */
  readonly deviceId: string;
}

/** Counts wrong claims. */
export class WrongClaims {
  readonly #clock: Clock;
  readonly #byNetwork: WindowCounter;
  readonly #byDevice: WindowCounter;
  #waitingCount = 0;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
    const limits = { windowMs: WRONG_WINDOW_MS, keysMax: WRONG_KEYS_MAX };
    this.#byNetwork = new WindowCounter(clock, limits);
    this.#byDevice = new WindowCounter(clock, limits);
  }

  /**
   * Counts a wrong claim.
   * @returns `E_ENROLL_RATE` when it is one too many within a minute; undefined otherwise.
   */
  count({ address, deviceId }: WrongAttempt): Refusal | undefined {
    const byNetwork = this.#byNetwork.add(networkOf(address));
    const byDevice = this.#byDevice.add(deviceId.slice(0, CLAIMED_ID_CHARACTERS_MAX));
    if (byNetwork > WRONG_PER_ADDRESS_MAX) {
      return refuse('E_ENROLL_RATE', `${byNetwork} wrong claims from this network in a minute`);
    }
    if (byDevice > WRONG_PER_DEVICE_MAX) {
      return refuse('E_ENROLL_RATE', `${byDevice} wrong claims for this device in a minute`);
    }
    return undefined;
  }

  /** Waits before a wrong claim is answered, unless too many answers wait already. */
  async wait(): Promise<void> {
    if (this.#waitingCount >= WRONG_WAITING_MAX) return;
    this.#waitingCount += 1;
    await sleep(this.#clock, WRONG_DELAY_MS);
    this.#waitingCount -= 1;
  }
}
