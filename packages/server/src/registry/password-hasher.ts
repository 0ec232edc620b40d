/** Passwords: argon2id (RFC 9106), one at a time. @module */
import { argon2 } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { RandomBytes } from '../kernel/index.ts';
import { hashesAreEqual } from './credential-hash.ts';
import type { PasswordHash } from './people-records.ts';

/** OWASP's minimum for argon2id; about 40 ms of one core. */
const PARAMETERS = {
  algorithm: 'argon2id',
  memoryKiB: 19_456,
  passes: 2,
  parallelism: 1,
} as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/**
 * Hashings that may wait or run. They run one after the other, so that a flood of sign-ins costs
 * one core at most, and the last in the queue waits for less than a second.
 */
export const HASHINGS_MAX = 16;

/** Hashes and checks passwords with bounded work. */
export class PasswordHasher {
  readonly #random: RandomBytes;
  readonly #decoy: PasswordHash;
  #tail: Promise<unknown> = Promise.resolve();
  #count = 0;

  constructor(random: RandomBytes) {
    this.#random = random;
    // No password has this hash, as far as anyone can know.
    this.#decoy = { ...PARAMETERS, salt: hex(random(SALT_BYTES)), hash: hex(random(HASH_BYTES)) };
  }

  /** Hashes a new password. Refuses `E_OPERATE_RATE` when too many are waiting. */
  async hash(password: string): Promise<PasswordHash | Refusal> {
    const blank = { ...PARAMETERS, salt: hex(this.#random(SALT_BYTES)) };
    const hash = await this.#enqueue(password, blank);
    return typeof hash === 'string' ? { ...blank, hash } : hash;
  }

  /**
   * Tells whether a password is the hashed one. Without a hash (nobody has that name) it does the
   * same work and says no. Refuses `E_OPERATE_RATE` when too many are waiting.
   */
  async check(password: string, expected: PasswordHash | undefined): Promise<boolean | Refusal> {
    const target = expected ?? this.#decoy;
    const hash = await this.#enqueue(password, target);
    if (typeof hash !== 'string') return hash;
    return hashesAreEqual(hash, target.hash) && expected !== undefined;
  }

  async #enqueue(
    password: string,
    parameters: Omit<PasswordHash, 'hash'>,
  ): Promise<string | Refusal> {
    if (this.#count >= HASHINGS_MAX) {
      return refuse('E_OPERATE_RATE', 'too many passwords are being checked at this moment');
    }
    this.#count += 1;
    const turn = this.#tail.then(() => derive(password, parameters));
    // The next one runs whether this one succeeds or fails.
    this.#tail = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#count -= 1;
    }
  }
}

function derive(password: string, parameters: Omit<PasswordHash, 'hash'>): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  argon2(
    parameters.algorithm,
    {
      // Keyboards differ in how they compose a letter; the person typed the same password.
      message: Buffer.from(password.normalize('NFKC'), 'utf8'),
      nonce: Buffer.from(parameters.salt, 'hex'),
      memory: parameters.memoryKiB,
      passes: parameters.passes,
      parallelism: parameters.parallelism,
      tagLength: HASH_BYTES,
    },
    (error, derived) => {
      if (error === null) resolve(derived.toString('hex'));
      else reject(error);
    },
  );
  return promise;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
