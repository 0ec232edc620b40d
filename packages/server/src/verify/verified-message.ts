/** The proof that a message is genuine. @module */
import type { Entry } from '@holdfast/protocol';

/** What a verified message says. */
export interface VerifiedContent {
  readonly atMs: number;
  /** Who published it: a device id, or `person:<name>`. */
  readonly principal: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly qos: 0 | 1;
  readonly kid: string;
  /** The device whose data key seals it. */
  readonly deviceId: string;
  readonly contentKeyRef: number;
  /** Highest counter of the device so far; 0 for messages that no device sent. */
  readonly counterMax: number;
}

/**
 * Makes a {@link VerifiedMessage}; exported to the other files of this folder only, which the
 * folder's index does not pass on.
 */
export let mintVerified: (content: VerifiedContent) => VerifiedMessage;

/** A message that passed verification; it is an audit entry as it stands. */
export class VerifiedMessage implements Entry {
  readonly #verified = true;
  readonly kind = 'message';
  readonly atMs: number;
  readonly principal: string;
  readonly topic: string;
  readonly kid: string;
  readonly body: Uint8Array;
  readonly retain: boolean;
  readonly qos: 0 | 1;
  readonly deviceId: string;
  readonly contentKeyRef: number;
  readonly counterMax: number;

  private constructor(content: VerifiedContent) {
    this.atMs = content.atMs;
    this.principal = content.principal;
    this.topic = content.topic;
    this.kid = content.kid;
    this.body = content.payload;
    this.retain = content.retain;
    this.qos = content.qos;
    this.deviceId = content.deviceId;
    this.contentKeyRef = content.contentKeyRef;
    this.counterMax = content.counterMax;
  }

  static {
    mintVerified = (content) => new VerifiedMessage(content);
  }

  static is(value: unknown): value is VerifiedMessage {
    return value instanceof Object && #verified in value;
  }
}
