/** What a session hands to the stages behind it, and what they hand back. @module */
import type { Refusal } from '@holdfast/protocol';
import type { AdmittedPeer } from './gate.ts';

/** A message that a peer publishes. */
export interface InboundPublish {
  readonly topic: string;
  /** Valid until the message is dropped; a view of what was received. */
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly qos: 0 | 1;
}

/** Takes messages for a subscriber. */
export interface Receiver {
  /** Sends a message at the smaller of `qos` and what the subscription asked for. */
  deliver(message: OutboundMessage): void;
}

/** A message on its way to a subscriber. */
export interface OutboundMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** The stages behind an open session: authorize, verify, journal, route. */
export interface SessionHandler {
  /**
   * Takes a message. `done` is called once it is durable, or once its refusal is: a peer cannot
   * tell the two apart.
   */
  publish(publish: InboundPublish, done: () => void): void;
  /** Subscribes the receiver, or refuses. The refusal is reported already. */
  subscribe(filter: string, qos: 0 | 1): 'granted' | Refusal;
  /** Hands over the retained messages of a new subscription. */
  deliverRetained(filter: string, qos: 0 | 1): void;
  unsubscribe(filter: string): void;
  /** The session has ended. */
  close(): void;
}

/** Opens the stages behind a session, before CONNACK. */
export type OpenHandler = (peer: AdmittedPeer, receiver: Receiver) => Promise<SessionHandler>;
