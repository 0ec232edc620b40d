/** Slows a peer down to the rate of its class: a token bucket for packets and one for bytes. @module */

/** What a class of devices may send. */
export interface RateLimits {
  readonly messagesPerSecond: number;
  /** Packets at once, after a silence. */
  readonly messageBurst: number;
  readonly bytesPerSecond: number;
  readonly byteBurst: number;
}

/**
 * Two token buckets in one. A packet is never refused: it takes its tokens, if need be on credit,
 * and the peer is not read from until the credit is paid back.
 */
export class RateLimiter {
  readonly #limits: RateLimits;
  #messages: number;
  #bytes: number;
  #filledAtMs: number;

  /** @param nowMs - Monotonic time, as in {@link take}. */
  constructor(limits: RateLimits, nowMs: number) {
    this.#limits = limits;
    this.#messages = limits.messageBurst;
    this.#bytes = limits.byteBurst;
    this.#filledAtMs = nowMs;
  }

  /**
   * Takes one packet, or a batch of messages that came as one.
   * @returns milliseconds that the peer has to wait, 0 for none.
   */
  take(bytes: number, nowMs: number, messages = 1): number {
    const { messagesPerSecond, messageBurst, bytesPerSecond, byteBurst } = this.#limits;
    const seconds = (nowMs - this.#filledAtMs) / 1_000;
    this.#filledAtMs = nowMs;
    this.#messages =
      Math.min(messageBurst, this.#messages + seconds * messagesPerSecond) - messages;
    this.#bytes = Math.min(byteBurst, this.#bytes + seconds * bytesPerSecond) - bytes;
    if (this.#messages >= 0 && this.#bytes >= 0) return 0;
    const credit = Math.max(-this.#messages / messagesPerSecond, -this.#bytes / bytesPerSecond);
    return Math.ceil(credit * 1_000);
  }

  /** Whether the peer could send a full burst: then nothing of it need be remembered. */
  isFull(nowMs: number): boolean {
    const { messagesPerSecond, messageBurst, bytesPerSecond, byteBurst } = this.#limits;
    const seconds = (nowMs - this.#filledAtMs) / 1_000;
    const hasMessages = this.#messages + seconds * messagesPerSecond >= messageBurst;
    return hasMessages && this.#bytes + seconds * bytesPerSecond >= byteBurst;
  }
}
