/** What people are shown of connections: that of now, and those that ended. @module */
import type { Qos } from '@holdfast/protocol/mqtt';
import type { TransportFacts } from '../wire/index.ts';
import { ENDED_CONNECTIONS_KEPT } from './limits.ts';

/** A connection that was accepted. */
export interface ConnectionFacts {
  readonly address: string;
  readonly sinceMs: number;
  /** `MQTT 5`, `MQTT 3.1.1` or `MQTT 3.1`. */
  readonly protocol: string;
  readonly transport: TransportFacts;
  /** SHA-256 of its certificate; empty without one. */
  readonly fingerprint: string;
  /** Seconds; 0 for none. */
  readonly keepAliveS: number;
}

/** What is kept for a peer, whether it is connected or not. */
export interface SessionFacts {
  readonly expiryS: number;
  readonly subscriptions: readonly { readonly filter: string; readonly qos: Qos }[];
  /** Messages that wait. */
  readonly queued: number;
}

/** A connection that has ended. */
export interface EndedConnection extends Pick<ConnectionFacts, 'address' | 'sinceMs' | 'protocol'> {
  readonly principal: string;
  readonly untilMs: number;
  /** One sentence. */
  readonly why: string;
}

/** The connections that ended last, of all peers together. */
export class EndedConnections {
  readonly #ring: EndedConnection[] = [];
  /** Where the next one goes, once the ring is full: onto the oldest. */
  #at = 0;

  add(ended: EndedConnection): void {
    this.#ring[this.#at] = ended;
    this.#at = (this.#at + 1) % ENDED_CONNECTIONS_KEPT;
  }

  /** Those of a peer, newest first; at most `limit`. */
  of(principal: string, limit: number): EndedConnection[] {
    const found: EndedConnection[] = [];
    const { length } = this.#ring;
    for (let back = 1; back <= length && found.length < limit; back += 1) {
      const ended = this.#ring[(this.#at - back + length) % length];
      if (ended?.principal === principal) found.push(ended);
    }
    return found;
  }
}
