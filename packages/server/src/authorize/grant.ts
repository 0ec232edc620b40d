/** What one connection may do: the rules compiled for it, decided again for each message. @module */
import { type Refusal, filterCovers, refuse, topicMatches } from '@holdfast/protocol';
import type { AdmittedPeer } from '../session/index.ts';
import { DEVICE_RULES, type TopicRule } from './topic-rules.ts';

/** Topics whose decision a grant remembers: a device uses a handful. */
export const REMEMBERED_TOPICS_MAX = 64;

/** A message as the peer sent it. */
export interface PublishRequest {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly qos: 0 | 1;
}

let mint: (peer: AdmittedPeer, request: PublishRequest) => PermittedMessage;

/** Proof that a peer may publish this message. Only a {@link Grant} makes one. */
export class PermittedMessage {
  readonly #permitted = true;
  readonly peer: AdmittedPeer;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly qos: 0 | 1;

  private constructor(peer: AdmittedPeer, { topic, payload, retain, qos }: PublishRequest) {
    this.peer = peer;
    this.topic = topic;
    this.payload = payload;
    this.retain = retain;
    this.qos = qos;
  }

  static {
    mint = (peer, request) => new PermittedMessage(peer, request);
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

  /** Compiles the rules for a peer. */
  constructor(peer: AdmittedPeer, rules: readonly TopicRule[] = DEVICE_RULES) {
    this.#peer = peer;
    this.#publishFilters = compile(rules, { action: 'publish', deviceId: peer.deviceId });
    this.#subscribeFilters = compile(rules, { action: 'subscribe', deviceId: peer.deviceId });
  }

  /** Permits a message, or refuses it with `E_AUTHORIZE_PUBLISH`. */
  permitPublish(request: PublishRequest): PermittedMessage | Refusal {
    const { topic } = request;
    if (!this.#permittedTopics.has(topic)) {
      if (!this.#publishFilters.some((filter) => topicMatches(filter, topic))) {
        return refuse(
          'E_AUTHORIZE_PUBLISH',
          `it may publish on ${this.#publishFilters.join(', ')}`,
        );
      }
      if (this.#permittedTopics.size < REMEMBERED_TOPICS_MAX) this.#permittedTopics.add(topic);
    }
    return mint(this.#peer, request);
  }

  /** Permits a subscription, or refuses it with `E_AUTHORIZE_SUBSCRIBE`. */
  permitSubscription(filter: string): true | Refusal {
    if (this.#subscribeFilters.some((granted) => filterCovers(granted, filter))) return true;
    const granted = this.#subscribeFilters.join(', ');
    return refuse('E_AUTHORIZE_SUBSCRIBE', `it may subscribe to ${granted}`);
  }
}

function compile(
  rules: readonly TopicRule[],
  { action, deviceId }: { action: TopicRule['action']; deviceId: string },
): string[] {
  return rules
    .filter((rule) => rule.action === action)
    .map((rule) => rule.filter.replaceAll('{device}', () => deviceId));
}
