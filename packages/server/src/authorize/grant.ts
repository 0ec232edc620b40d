/** What one connection may do: the rules compiled for it, decided again for each message. @module */
import { type Refusal, filterCovers, refuse, topicMatches } from '@holdfast/protocol';
import type { MessageProperties, Qos } from '@holdfast/protocol/mqtt';
import type { AdmittedPeer, InboundPublish } from '../session/index.ts';
import { DEVICE_RULES, type TopicRule } from './topic-rules.ts';

/** Topics whose decision a grant remembers: a device uses a handful. */
export const REMEMBERED_TOPICS_MAX = 64;

let mint: (peer: AdmittedPeer, publish: InboundPublish) => PermittedMessage;

/** Proof that a peer may publish this message. Only a {@link Grant} makes one. */
export class PermittedMessage {
  readonly #permitted = true;
  readonly peer: AdmittedPeer;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly qos: Qos;
  readonly properties: MessageProperties;

  private constructor(peer: AdmittedPeer, publish: InboundPublish) {
    this.peer = peer;
    this.topic = publish.topic;
    this.payload = publish.payload;
    this.retain = publish.retain;
    this.qos = publish.qos;
    this.properties = publish.properties;
  }

  static {
    mint = (peer, publish) => new PermittedMessage(peer, publish);
  }

  static is(value: unknown): value is PermittedMessage {
    return value instanceof Object && #permitted in value;
  }
}

/** The permissions of one admitted peer. */
export class Grant {
  readonly #peer: AdmittedPeer;
  readonly #publishFilters: readonly string[];
  readonly #subscribeFilters: readonly string[];
  readonly #permittedTopics = new Set<string>();

  /**
   * Compiles the rules for a peer.
   * @param rules - `rulesOf` the class of a device, or `OPERATOR_RULES` for a person.
   */
  constructor(peer: AdmittedPeer, rules: readonly TopicRule[] = DEVICE_RULES) {
    this.#peer = peer;
    this.#publishFilters = compile(rules, 'publish', peer);
    this.#subscribeFilters = compile(rules, 'subscribe', peer);
  }

  /** Permits a message, or refuses it with `E_AUTHORIZE_PUBLISH`. */
  permitPublish(publish: InboundPublish): PermittedMessage | Refusal {
    const { topic } = publish;
    if (!this.#permittedTopics.has(topic)) {
      if (!this.#publishFilters.some((filter) => topicMatches(filter, topic))) {
        const filters = this.#publishFilters.join(', ');
        return refuse('E_AUTHORIZE_PUBLISH', `it may publish on ${filters}`);
      }
      if (this.#permittedTopics.size < REMEMBERED_TOPICS_MAX) this.#permittedTopics.add(topic);
    }
    return mint(this.#peer, publish);
  }

  /**
   * Permits a subscription, or refuses it with `E_AUTHORIZE_SUBSCRIBE`.
   * @param filter - Of a shared subscription only what follows `$share/<name>/`: to share what one
   *   may read takes nothing from anybody who may not.
   */
  permitSubscription(filter: string): true | Refusal {
    if (this.#subscribeFilters.some((granted) => filterCovers(granted, filter))) return true;
    const granted = this.#subscribeFilters.join(', ');
    return refuse('E_AUTHORIZE_SUBSCRIBE', `it may subscribe to ${granted}`);
  }
}

function compile(
  rules: readonly TopicRule[],
  action: TopicRule['action'],
  { kind, principal }: AdmittedPeer,
): string[] {
  return rules
    .filter((rule) => rule.action === action)
    .filter((rule) => kind === 'device' || !rule.filter.includes(DEVICE))
    .map((rule) => rule.filter.replaceAll(DEVICE, () => principal));
}

const DEVICE = '{device}';
