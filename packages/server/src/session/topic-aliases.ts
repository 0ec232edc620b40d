/** Numbers that stand for topics within one connection. @see MQTT 5 §3.3.2.3.4 @module */
import type { Publish } from '@holdfast/protocol/mqtt';
import { PacketRefusal, REASON } from '@holdfast/protocol/mqtt';

/* Both kinds live as long as the connection that holds them. MQTT 5 [MQTT-3.3.2-7] */
/** The aliases that a peer has set. */
export class InboundAliases {
  readonly #countMax: number;
  readonly #topics: string[] = [];

  /** @param countMax - Largest alias that the peer was told it may use. */
  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /**
   * The topic that a PUBLISH means; sets the alias when the packet has both.
   * @returns the topic, or a refusal with 0x94 [MQTT-3.3.2-8] or 0x82.
   */
  resolve({ topic, properties: { topicAlias } }: Publish): string | PacketRefusal {
    if (topicAlias === undefined) return topic;
    // [MQTT-3.3.2-9]; 0 was refused when the packet was decoded.
    // Up to the maximum all are taken. MQTT 5 [MQTT-3.3.2-12]
    if (topicAlias > this.#countMax) {
      const detail = `topic alias ${topicAlias}; at most ${this.#countMax} [MQTT-3.3.2-9]`;
      return refuse(detail, REASON.topicAliasInvalid);
    }
    if (topic !== '') {
      this.#topics[topicAlias] = topic;
      return topic;
    }
    const known = this.#topics[topicAlias];
    if (known !== undefined) return known;
    return refuse(`topic alias ${topicAlias} was never set`, REASON.protocolError);
  }
}

/** The aliases that the server sets for a peer: the first topics get one, for good. */
export class OutboundAliases {
  readonly #countMax: number;
  readonly #aliases = new Map<string, number>();
  /** The topic whose alias the last call has set. */
  #latest: string | undefined;

  /** @param countMax - Largest alias that the peer allows. [MQTT-3.1.2-26] */
  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** The alias of a topic and whether the peer knows it already; undefined for none. */
  use(topic: string): { readonly alias: number; readonly isKnown: boolean } | undefined {
    const known = this.#aliases.get(topic);
    this.#latest = undefined;
    if (known !== undefined) return { alias: known, isKnown: true };
    // MQTT 5 [MQTT-3.1.2-27] [MQTT-3.3.2-11]
    if (this.#aliases.size >= this.#countMax) return undefined;
    const alias = this.#aliases.size + 1;
    this.#aliases.set(topic, alias);
    this.#latest = topic;
    return { alias, isKnown: false };
  }

  /** The packet that was to set the alias of this topic is not sent. */
  takeBack(topic: string): void {
    if (this.#latest === topic) this.#aliases.delete(topic);
  }
}

function refuse(detail: string, reasonCode: 0x82 | 0x94): PacketRefusal {
  return new PacketRefusal('E_SESSION_PROTOCOL', detail, { reasonCode });
}
