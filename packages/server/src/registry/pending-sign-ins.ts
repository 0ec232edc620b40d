/** Sign-ins that have shown the password, and not yet the second factor. @module */
import { type Clock, type RandomBytes, Secret } from '../kernel/index.ts';
import { credentialHash } from './credential-hash.ts';
import {
  PENDING_SIGN_INS_MAX,
  PENDING_SIGN_IN_LIFE_MS,
  PENDING_SIGN_IN_TRIES_MAX,
} from './limits.ts';

const ID_BYTES = 32;

/** A sign-in that waits for its second step. */
export interface PendingSignIn {
  /** What the client shows with the code. */
  readonly id: Secret<string>;
  readonly expiresAtMs: number;
}

interface Waiting {
  readonly personName: string;
  readonly expiresAtMs: number;
  tries: number;
}

/** The pending sign-ins of this process. */
export class PendingSignIns {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  /** By the hash of their id, the oldest first. */
  readonly #waiting = new Map<string, Waiting>();

  constructor({ clock, random }: { clock: Clock; random: RandomBytes }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Begins to wait for the second step of a person. */
  start(personName: string): PendingSignIn {
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size >= PENDING_SIGN_INS_MAX) {
      this.#waiting.delete(oldest);
    }
    const id = Buffer.from(this.#random(ID_BYTES)).toString('base64url');
    const expiresAtMs = this.#clock.nowMs() + PENDING_SIGN_IN_LIFE_MS;
    this.#waiting.set(credentialHash(id), { personName, expiresAtMs, tries: 0 });
    return { id: new Secret(id), expiresAtMs };
  }

  /** Whose sign-in this is; undefined when it is none, or has ended. Counts as a try. */
  tryOne(id: string): string | undefined {
    const hash = credentialHash(id);
    const waiting = this.#waiting.get(hash);
    if (waiting === undefined) return undefined;
    waiting.tries += 1;
    const isLive = this.#clock.nowMs() < waiting.expiresAtMs;
    if (!isLive || waiting.tries >= PENDING_SIGN_IN_TRIES_MAX) this.#waiting.delete(hash);
    return isLive ? waiting.personName : undefined;
  }

  /** Whose sign-in this is, without counting. */
  personOf(id: string): string | undefined {
    const waiting = this.#waiting.get(credentialHash(id));
    return waiting !== undefined && this.#clock.nowMs() < waiting.expiresAtMs
      ? waiting.personName
      : undefined;
  }

  /** Ends one whose second step was right. */
  end(id: string): void {
    this.#waiting.delete(credentialHash(id));
  }

  /** Ends those of a person whose password or rights have changed. */
  endAllOf(personName: string): void {
    for (const [hash, waiting] of this.#waiting) {
      if (waiting.personName === personName) this.#waiting.delete(hash);
    }
  }
}
