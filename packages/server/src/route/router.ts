/** Brings durable messages to their subscribers. @module */
import type { Refusal } from '@holdfast/protocol';
import type { JournaledMessage } from '../journal/index.ts';
import type { Receiver } from '../session/index.ts';
import { RetainedTable } from './retained.ts';
import { TopicTrie } from './topic-trie.ts';

/** Subscriptions and retained messages of the whole broker. */
export class Router {
  readonly #subscriptions = new TopicTrie<Receiver>();
  readonly #retained = new RetainedTable<{ readonly payload: Uint8Array; readonly qos: 0 | 1 }>();

  subscribe(filter: string, receiver: Receiver, qos: 0 | 1): void {
    this.#subscriptions.add(filter, receiver, qos);
  }

  unsubscribe(filter: string, receiver: Receiver): void {
    this.#subscriptions.remove(filter, receiver);
  }

  /**
   * Delivers a message to all who subscribed to its topic, and keeps it if it is to be retained.
   * @returns how many subscribers it was handed to, and why it could not be retained, if so.
   */
  route({ message }: JournaledMessage): { receivers: number; refusal: Refusal | undefined } {
    const { topic, body } = message;
    let refusal: Refusal | undefined;
    // A copy: the payload is a view of a received chunk, which would be kept with it.
    if (message.retain) {
      refusal = this.#retained.set(topic, { payload: body.slice(), qos: message.qos });
    }
    let receivers = 0;
    this.#subscriptions.match(topic, (receiver, qos) => {
      receivers += 1;
      // The smaller of what was published and what was asked for. [MQTT-3.8.4-6]
      const smaller = qos === 0 ? 0 : message.qos;
      receiver.deliver({ topic, payload: body, qos: smaller, retain: false });
    });
    return { receivers, refusal };
  }

  /** Hands over what is retained for a new subscription. [MQTT-3.3.1-6] [MQTT-3.3.1-8] */
  deliverRetained(filter: string, receiver: Receiver, qos: 0 | 1): void {
    this.#retained.matching(filter, (topic, { payload, qos: published }) => {
      receiver.deliver({ topic, payload, qos: qos === 0 ? 0 : published, retain: true });
    });
  }
}
