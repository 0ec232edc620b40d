/**
 * The natural way through the house: a message goes from the session through authorize, verify
 * and the journal to its subscribers. Each stage takes what the one before it made, or a refusal
 * ends the way.
 * @module
 */
import { Refusal, refuse } from '@holdfast/protocol';
import { Grant } from '../authorize/index.ts';
import type { MessageJournal } from '../journal/index.ts';
import type { Clock, Log, ReportRefusal } from '../kernel/index.ts';
import type { DeviceRegistry, PayloadKeySource } from '../registry/index.ts';
import type { Router } from '../route/index.ts';
import type { AdmittedPeer, InboundPublish, Receiver, SessionHandler } from '../session/index.ts';
import { DeviceVerifier, type VerifiedMessage, signCommand } from '../verify/index.ts';

/** The stages, in the order of the way. */
export interface MessagePathDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly report: ReportRefusal;
  readonly registry: DeviceRegistry;
  readonly payloadKeys: PayloadKeySource;
  readonly journal: MessageJournal;
  readonly router: Router;
  /** Highest counter that was stored of a device under these payload keys, -1 for none. */
  readonly storedCounter: (deviceId: string, kid: string) => Promise<number>;
  /** Counts a verified message, for the metrics. */
  readonly countAccepted: () => void;
}

/** A command of a signed-in person. */
export interface CommandRequest {
  readonly deviceId: string;
  /** One topic level. */
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly principal: string;
}

/** The way of all messages of one server. */
export class MessagePath {
  readonly #deps: MessagePathDeps;
  /** One verifier a device, however often it connects: the replay window must not start again. */
  readonly #verifiers = new Map<string, DeviceVerifier>();
  #commandCounter = 0;

  constructor(deps: MessagePathDeps) {
    this.#deps = deps;
  }

  /** Opens the way for an admitted peer; an `OpenHandler`. */
  readonly open = async (peer: AdmittedPeer, receiver: Receiver): Promise<SessionHandler> => {
    const verifier = await this.#verifierOf(peer.deviceId);
    const device = this.#deps.registry.byId(peer.deviceId);
    if (device?.state === 'claimed') {
      this.#deps.registry.changeState(device, 'active', 'connected with its certificate');
    }
    return this.#handler({ peer, receiver, verifier, grant: new Grant(peer) });
  };

  /** Sends a command to a device. Resolves once it is durable, with how many connections got it. */
  command(request: CommandRequest): Promise<{ index: number; receivers: number } | Refusal> {
    const { registry, payloadKeys, clock } = this.#deps;
    const device = registry.byId(request.deviceId);
    if (device === undefined) {
      return Promise.resolve(refuse('E_OPERATE_NOT_FOUND', `no device ${request.deviceId}`));
    }
    const nowMs = clock.nowMs();
    // Counts on across restarts without being stored: nobody sends a thousand commands a second.
    this.#commandCounter = Math.max(this.#commandCounter + 1, nowMs);
    const { name, body, principal } = request;
    const keys = payloadKeys.of(device);
    const counter = this.#commandCounter;
    const message = signCommand({ device, keys, name, body, principal, counter, nowMs });
    return message instanceof Refusal ? Promise.resolve(message) : this.#store(message);
  }

  #handler(way: {
    peer: AdmittedPeer;
    receiver: Receiver;
    verifier: DeviceVerifier;
    grant: Grant;
  }): SessionHandler {
    const { peer, receiver, verifier, grant } = way;
    const { journal, router, countAccepted } = this.#deps;
    const filters = new Set<string>();
    const report = (refusal: Refusal, topic: string): Refusal => {
      this.#deps.report({ refusal, topic, principal: peer.deviceId, address: peer.address });
      return refusal;
    };
    const verify = (publish: InboundPublish): VerifiedMessage | Refusal => {
      const permitted = grant.permitPublish(publish);
      return permitted instanceof Refusal ? permitted : verifier.verify(permitted);
    };
    return {
      publish: (publish, done) => {
        const verified = verify(publish);
        if (verified instanceof Refusal) {
          report(verified, publish.topic);
          return journal.barrier(done);
        }
        countAccepted();
        this.#markKeyInUse(peer.deviceId);
        return journal.append(verified, (journaled) => {
          done();
          const { refusal } = router.route(journaled);
          if (refusal !== undefined) report(refusal, publish.topic);
        });
      },
      subscribe: (filter, qos) => {
        const permission = grant.permitSubscription(filter);
        if (permission instanceof Refusal) return report(permission, filter);
        filters.add(filter);
        router.subscribe(filter, receiver, qos);
        return 'granted';
      },
      deliverRetained: (filter, qos) => router.deliverRetained(filter, receiver, qos),
      unsubscribe: (filter) => {
        if (filters.delete(filter)) router.unsubscribe(filter, receiver);
      },
      close: () => {
        for (const filter of filters) router.unsubscribe(filter, receiver);
        filters.clear();
      },
    };
  }

  #store(message: VerifiedMessage): Promise<{ index: number; receivers: number }> {
    const { journal, router } = this.#deps;
    return new Promise((resolve) => {
      journal.append(message, (journaled) => {
        resolve({ index: journaled.index, receivers: router.route(journaled).receivers });
      });
    });
  }

  async #verifierOf(deviceId: string): Promise<DeviceVerifier> {
    const { registry, payloadKeys, clock, storedCounter } = this.#deps;
    const device = registry.byId(deviceId);
    if (device === undefined) throw new Error(`device ${deviceId} has gone`);
    const isCurrent = (verifier: DeviceVerifier | undefined): verifier is DeviceVerifier =>
      verifier?.generation === device.payloadKeyGeneration;
    const known = this.#verifiers.get(deviceId);
    if (isCurrent(known)) return known;
    const keys = payloadKeys.of(device);
    const counterHighest = await storedCounter(deviceId, keys.kid);
    // Another connection of the device may have been faster: its window is the one that counts.
    const faster = this.#verifiers.get(deviceId);
    if (isCurrent(faster)) return faster;
    const verifier = new DeviceVerifier({ device, keys, clock, counterHighest });
    this.#verifiers.set(deviceId, verifier);
    return verifier;
  }

  #markKeyInUse(deviceId: string): void {
    const device = this.#deps.registry.byId(deviceId);
    if (device === undefined || device.isPayloadKeyInUse) return;
    try {
      this.#deps.registry.markPayloadKeyInUse(device);
    } catch (error) {
      // The next message tries again; this one does not depend on it.
      this.#deps.log.error({ 'error.message': String(error) }, 'the registry cannot be written');
    }
  }
}
