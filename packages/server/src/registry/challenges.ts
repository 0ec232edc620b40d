/** Challenges of passkeys and of owners' pages: each for one purpose, for a while, and once. @module */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock, RandomBytes } from '../kernel/index.ts';
import { CHALLENGE_LIFE_MS } from './limits.ts';

const NONCE_BYTES = 16;
const TIME_BYTES = 8;
const MAC_BYTES = 32;

/**
 * Makes challenges and knows them again. A challenge carries its end and a MAC over its purpose,
 * so nothing is kept until one was answered rightly: no stranger can fill a table by asking for
 * challenges, nor push out the one that somebody is about to answer.
 */
export class Challenges {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #key: Uint8Array;
  readonly #lifeMs: number;
  /** Answered challenges and when they end. */
  readonly #used = new Map<string, number>();

  /** @param lifeMs - how long each one may be answered, in milliseconds. */
  constructor({
    clock,
    random,
    lifeMs = CHALLENGE_LIFE_MS,
  }: {
    clock: Clock;
    random: RandomBytes;
    lifeMs?: number;
  }) {
    this.#clock = clock;
    this.#random = random;
    this.#lifeMs = lifeMs;
    this.#key = random(MAC_BYTES);
  }

  /** A challenge for one purpose: 56 bytes, of which 16 are random. */
  make(purpose: string): Uint8Array<ArrayBuffer> {
    const time = Buffer.alloc(TIME_BYTES);
    time.writeBigUInt64BE(BigInt(this.#clock.nowMs() + this.#lifeMs));
    const content = Buffer.concat([this.#random(NONCE_BYTES), time]);
    return new Uint8Array(Buffer.concat([content, this.#mac(content, purpose)]));
  }

  /** Whether a challenge, in base64url, is one of ours for this purpose, live and not used. */
  isLive(text: string, purpose: string): boolean {
    const bytes = Buffer.from(text, 'base64url');
    if (bytes.length !== NONCE_BYTES + TIME_BYTES + MAC_BYTES) return false;
    const content = bytes.subarray(0, NONCE_BYTES + TIME_BYTES);
    const mac = bytes.subarray(NONCE_BYTES + TIME_BYTES);
    if (!timingSafeEqual(mac, this.#mac(content, purpose))) return false;
    return this.#endOf(bytes) > this.#clock.nowMs() && !this.#used.has(bytes.toString('base64url'));
  }

  /** Ends a challenge that was answered rightly. @returns false when it was used in the meantime. */
  use(text: string): boolean {
    const nowMs = this.#clock.nowMs();
    for (const [used, endMs] of this.#used) {
      if (endMs > nowMs) break;
      this.#used.delete(used);
    }
    const bytes = Buffer.from(text, 'base64url');
    const challenge = bytes.toString('base64url');
    if (this.#used.has(challenge)) return false;
    this.#used.set(challenge, this.#endOf(bytes));
    return true;
  }

  #endOf(bytes: Buffer): number {
    return Number(bytes.readBigUInt64BE(NONCE_BYTES));
  }

  #mac(content: Uint8Array, purpose: string): Buffer {
    return createHmac('sha256', this.#key).update(content).update(purpose, 'utf8').digest();
  }
}
