/** What one connection may do: the policy compiled for it, looked up for each message. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { MessageProperties, Qos } from '@holdfast/protocol/mqtt';
import type { Device } from '../registry/index.ts';
import type { AdmittedPeer, InboundPublish } from '../session/index.ts';
import type { Permissions } from './permissions.ts';

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

/**
 * The permissions of one admitted peer. What the policy says of a device's own topics is kept, so
 * that a message costs a look-up; another policy, or any change of the device, voids it at once.
 */
export class Grant {
  readonly #peer: AdmittedPeer;
  readonly #permissions: Permissions;
  readonly #permittedTopics = new Set<string>();
  #device: Device | undefined;
  #epoch = -1;

  constructor(peer: AdmittedPeer, permissions: Permissions) {
    this.#peer = peer;
    this.#permissions = permissions;
  }

  /** Permits a message, or refuses it with `E_AUTHORIZE_PUBLISH`. */
  permitPublish(publish: InboundPublish): PermittedMessage | Refusal {
    const { topic } = publish;
    this.#renew();
    if (!this.#permittedTopics.has(topic)) {
      const refusal = this.#decide(topic);
      if (refusal !== undefined) return refusal;
    }
    return mint(this.#peer, publish);
  }

  /**
   * Permits a subscription, or refuses it with `E_AUTHORIZE_SUBSCRIBE`.
   * @param filter - Of a shared subscription only what follows `$share/<name>/`: to share what one
   *   may read takes nothing from anybody who may not.
   */
  permitSubscription(filter: string): true | Refusal {
    const principal = this.#permissions.principalOf(this.#peer);
    if (principal === undefined) return refuse('E_AUTHORIZE_SUBSCRIBE', GONE);
    if (this.#permissions.maySubscribe(principal, filter)) return true;
    const granted = this.#permissions.describe(principal, 'subscribe');
    return refuse('E_AUTHORIZE_SUBSCRIBE', `it may subscribe to ${granted}`);
  }

  #renew(): void {
    if (this.#peer.kind !== 'device') return;
    const { epoch } = this.#permissions;
    const device = this.#permissions.recordOf(this.#peer.principal);
    if (epoch === this.#epoch && device === this.#device) return;
    this.#epoch = epoch;
    this.#device = device;
    this.#permittedTopics.clear();
  }

  #decide(topic: string): Refusal | undefined {
    const principal = this.#permissions.principalOf(this.#peer);
    if (principal === undefined) return refuse('E_AUTHORIZE_PUBLISH', GONE);
    if (!this.#permissions.mayPublish(principal, topic)) {
      const granted = this.#permissions.describe(principal, 'publish');
      return refuse('E_AUTHORIZE_PUBLISH', `it may publish on ${granted}`);
    }
    // Of others, the topics of many devices: their decisions are remembered by the authorizer.
    const isKept =
      principal.kind === 'device' && this.#permittedTopics.size < REMEMBERED_TOPICS_MAX;
    if (isKept) this.#permittedTopics.add(topic);
    return undefined;
  }
}

const GONE = 'there is no such principal any more';
