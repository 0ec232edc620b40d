/** How much was sealed under a key: counted ahead, so that a crash never counts too little. @module */
import { Fault, type SecretBytes } from '../kernel/index.ts';
import {
  KEY_AGE_RENEW_MS,
  KEY_BYTES_AHEAD,
  KEY_BYTES_MAX,
  KEY_BYTES_RENEW,
  KEY_SEALINGS_AHEAD,
  KEY_SEALINGS_MAX,
  KEY_SEALINGS_RENEW,
} from './limits.ts';

/** A key that encrypts data, and the number under which sealed data names it. */
export interface DataKey {
  /** 1 to 2^32 - 1; says nothing about what the key is for. */
  readonly ref: number;
  readonly key: SecretBytes;
  /**
   * Counts one sealing, before it is made.
   * @throws Fault `E_PERSISTENCE_KEY_SPENT` when the key may seal no more.
   */
  spend(bytes: number): void;
}

/** Sealings, and bytes of plaintext. */
export interface KeyUse {
  readonly sealings: number;
  readonly bytes: number;
}

/** What a counted key is made of. */
export interface CountedKeyParts {
  readonly ref: number;
  readonly key: SecretBytes;
  readonly createdAtMs: number;
  /** At most so much was sealed before. */
  readonly used: KeyUse;
  /** So much may be sealed before it has to be written. */
  readonly reserved: KeyUse;
  /** Writes down more of what may be used, and gives it by {@link CountedKey.grant}. */
  readonly reserve: (key: CountedKey) => void;
}

/** A data key that counts. NIST SP 800-38D §8.3 */
export class CountedKey implements DataKey {
  readonly ref: number;
  readonly key: SecretBytes;
  readonly createdAtMs: number;
  readonly #reserve: CountedKeyParts['reserve'];
  #sealings: number;
  #bytes: number;
  #reserved: KeyUse;
  #isUsed = false;

  constructor({ ref, key, createdAtMs, used, reserved, reserve }: CountedKeyParts) {
    this.ref = ref;
    this.key = key;
    this.createdAtMs = createdAtMs;
    this.#sealings = used.sealings;
    this.#bytes = used.bytes;
    this.#reserved = reserved;
    this.#reserve = reserve;
  }

  // On the way of each message: two additions and two comparisons.
  spend(bytes: number): void {
    this.#isUsed = true;
    this.#sealings += 1;
    this.#bytes += bytes;
    if (this.#sealings > this.#reserved.sealings || this.#bytes > this.#reserved.bytes) {
      if (this.#sealings > KEY_SEALINGS_MAX || this.#bytes > KEY_BYTES_MAX) throw spentFault(this);
      this.#reserve(this);
    }
  }

  /** What was sealed so far, at most. */
  get used(): KeyUse {
    return { sealings: this.#sealings, bytes: this.#bytes };
  }

  /** Whether it has sealed anything since it was opened. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** Whether more should be reserved before it is urgent. */
  get isLow(): boolean {
    if (!this.#isUsed) return false;
    const { sealings, bytes } = this.#reserved;
    return sealings - this.#sealings < LOW.sealings || bytes - this.#bytes < LOW.bytes;
  }

  /** Whether it has sealed so much that it is to be replaced. */
  get isWorn(): boolean {
    return this.#sealings >= KEY_SEALINGS_RENEW || this.#bytes >= KEY_BYTES_RENEW;
  }

  /** Whether its time has come, if it can be replaced. One that seals nothing grows no older. */
  isDue(nowMs: number): boolean {
    return this.#isUsed && (this.isWorn || nowMs - this.createdAtMs >= KEY_AGE_RENEW_MS);
  }

  /** What to write down, so that it goes on for a while. */
  get wanted(): KeyUse {
    return {
      sealings: Math.min(KEY_SEALINGS_MAX, this.#sealings + KEY_SEALINGS_AHEAD),
      bytes: Math.min(KEY_BYTES_MAX, this.#bytes + KEY_BYTES_AHEAD),
    };
  }

  /** So much is written down. */
  grant(reserved: KeyUse): void {
    this.#reserved = reserved;
  }

  /** What was reserved may not be written down: it has to be again. */
  withdraw(): void {
    this.#reserved = this.used;
  }
}

const LOW: KeyUse = { sealings: KEY_SEALINGS_AHEAD / 4, bytes: KEY_BYTES_AHEAD / 4 };

function spentFault({ ref }: DataKey): Fault {
  return new Fault({
    code: 'E_PERSISTENCE_KEY_SPENT',
    what: `Data key ${ref} has sealed as much as it may (NIST SP 800-38D): it seals no more.`,
    fix: 'Start the server again: it takes a new key. Report this; it is replaced long before.',
  });
}
