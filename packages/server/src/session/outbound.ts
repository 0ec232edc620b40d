/** Messages on their way to one peer: QoS 1 with a bounded window, QoS 0 as it comes. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { PACKET_ID_MAX, encodePublish } from '@holdfast/protocol/mqtt';
import type { OutboundMessage } from './handler.ts';
import { IN_FLIGHT_COUNT_MAX, OUTBOUND_BYTES_MAX, WAITING_COUNT_MAX } from './limits.ts';
import type { WriteBatch } from './write-batch.ts';

/** The sending side of a session. */
export class Outbound {
  readonly #writes: WriteBatch;
  readonly #inFlight = new Set<number>();
  #waiting: OutboundMessage[] = [];
  #packetId = 0;

  constructor(writes: WriteBatch) {
    this.#writes = writes;
  }

  /** Sends a message, or refuses when the peer is too slow to take it. */
  send(message: OutboundMessage): Refusal | undefined {
    const refusal = this.checkPending();
    if (refusal !== undefined) return refusal;
    if (message.qos === 0) {
      this.#writes.write(
        encodePublish(message.topic, message.payload, { qos: 0, retain: message.retain }),
      );
    } else if (this.#inFlight.size < IN_FLIGHT_COUNT_MAX) {
      this.#sendNow(message);
    } else if (this.#waiting.length < WAITING_COUNT_MAX) {
      this.#waiting.push(message);
    } else {
      return refuse('E_SESSION_SLOW', `${WAITING_COUNT_MAX} messages wait for its PUBACK`);
    }
    return undefined;
  }

  /** Refuses a peer that does not take what is written to it. */
  checkPending(): Refusal | undefined {
    if (this.#writes.pendingBytes <= OUTBOUND_BYTES_MAX) return undefined;
    return refuse('E_SESSION_SLOW', `more than ${OUTBOUND_BYTES_MAX} bytes wait for it`);
  }

  /** The peer acknowledged a message. Returns false when none had this id. */
  acknowledge(packetId: number): boolean {
    if (!this.#inFlight.delete(packetId)) return false;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#sendNow(next);
    return true;
  }

  #sendNow({ topic, payload, retain }: OutboundMessage): void {
    do this.#packetId = (this.#packetId % PACKET_ID_MAX) + 1;
    while (this.#inFlight.has(this.#packetId));
    this.#inFlight.add(this.#packetId);
    this.#writes.write(encodePublish(topic, payload, { qos: 1, packetId: this.#packetId, retain }));
  }
}
