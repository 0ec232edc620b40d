/** The proof that a message is genuine. @module */
import type { Entry } from '@holdfast/protocol';
import type { Qos } from '@holdfast/protocol/mqtt';

/** What a verified message says. */
export interface VerifiedContent {
  /** Who published it: a device id, or `person:<name>`. */
  readonly principal: string;
  readonly topic: string;
  /** The exact payload. */
  readonly body: Uint8Array;
  readonly retain: boolean;
  readonly qos: Qos;
  /** Life of the message in seconds from its time on; undefined when it has no end. */
  readonly expiryS: number | undefined;
  /** Encoded properties for its receivers, see `encodeForwarded`; empty for none. */
  readonly properties: Uint8Array;
  readonly kid: string;
  /** The device whose data key seals it. */
  readonly deviceId: string;
  readonly contentKeyRef: number;
}

/** Where a verified message stands among the others. */
export interface VerifiedMoment {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Highest counter of the device so far; 0 for messages that no device sent. */
  readonly counterMax: number;
  /**
   * Whether its own time is older than a message takes on its way: its device kept it during an
   * outage, or somebody held it back. Default: false.
   */
  readonly isLate?: boolean;
}

/**
 * Makes a {@link VerifiedMessage}; exported to the other files of this folder only, which the
 * folder's index does not pass on.
 */
export let mintVerified: (content: VerifiedContent, moment: VerifiedMoment) => VerifiedMessage;

/** A message that passed verification; it is an audit entry as it stands. */
export class VerifiedMessage implements Entry, VerifiedContent, VerifiedMoment {
  readonly #verified = true;
  readonly kind = 'message';
  readonly atMs: number;
  readonly principal: string;
  readonly topic: string;
  readonly kid: string;
  readonly body: Uint8Array;
  readonly retain: boolean;
  readonly qos: Qos;
  readonly expiryS: number | undefined;
  readonly properties: Uint8Array;
  readonly deviceId: string;
  readonly contentKeyRef: number;
  readonly counterMax: number;
  readonly isLate: boolean;

  private constructor(
    content: VerifiedContent,
    { atMs, counterMax, isLate = false }: VerifiedMoment,
  ) {
    this.atMs = atMs;
    this.principal = content.principal;
    this.topic = content.topic;
    this.kid = content.kid;
    this.body = content.body;
    this.retain = content.retain;
    this.qos = content.qos;
    this.expiryS = content.expiryS;
    this.properties = content.properties;
    this.deviceId = content.deviceId;
    this.contentKeyRef = content.contentKeyRef;
    this.counterMax = counterMax;
    this.isLate = isLate;
  }

  static {
    mintVerified = (content, moment) => new VerifiedMessage(content, moment);
  }

  static is(value: unknown): value is VerifiedMessage {
    return value instanceof Object && #verified in value;
  }
}
