/**
 * The natural way through the house: a message goes from the session through authorize, verify
 * and the journal to its subscribers. Each stage takes what the one before it made, or a refusal
 * ends the way.
 * @module
 */
import { Refusal, refuse } from '@holdfast/protocol';
import type { RecordAct } from '../audit/index.ts';
import { Grant, type Permissions, parseCommandTopic } from '../authorize/index.ts';
import type { DiskWatch, MessageJournal } from '../journal/index.ts';
import type { Clock, Log, ReportRefusal } from '../kernel/index.ts';
import {
  type Device,
  type DeviceRegistry,
  type PayloadKeySource,
  contentKeyRefsOf,
} from '../registry/index.ts';
import type { Router } from '../route/index.ts';
import type {
  AdmittedPeer,
  InboundPublish,
  PublishDone,
  SessionHandler,
} from '../session/index.ts';
import {
  DeviceVerifier,
  type KnownCounters,
  type VerifiedMessage,
  signCommand,
} from '../verify/index.ts';
import { parseCommandBody } from './command-body.ts';

/** The stages, in the order of the way. */
export interface MessagePathDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly report: ReportRefusal;
  readonly recordAct: RecordAct;
  readonly registry: DeviceRegistry;
  readonly permissions: Permissions;
  readonly payloadKeys: PayloadKeySource;
  readonly journal: MessageJournal;
  readonly disk: Pick<DiskWatch, 'hasRoom' | 'figures'>;
  readonly router: Router;
  /** The counters that were stored of a device under these payload keys. */
  readonly storedCounters: (deviceId: string, kid: string) => Promise<KnownCounters>;
  /** How old a message of a device may be that was held back, in milliseconds. */
  readonly lateMaxMs?: (deviceId: string) => number;
  /** Counts a verified message, for the metrics. */
  readonly countAccepted: (message: VerifiedMessage) => void;
}

/** A command of a signed-in person. */
export interface CommandRequest {
  readonly deviceId: string;
  /** One topic level. */
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly principal: string;
}

/** What an erasure has destroyed. */
export interface ErasedContent {
  readonly keyRefs: number[];
  /** Generation of the payload keys, and the highest counter under them. */
  readonly seen: { readonly generation: number; readonly upTo: number };
}

/** A message that was refused, and how to answer it. */
interface RefusedPublish {
  readonly refusal: Refusal;
  readonly topic: string;
  readonly done: PublishDone;
}

/** The way of all messages of one server. */
export class MessagePath {
  readonly #deps: MessagePathDeps;
  /** One verifier a device, however often it connects: the replay window must not start again. */
  readonly #verifiers = new Map<string, DeviceVerifier>();
  #commandCounter = 0;

  constructor(deps: MessagePathDeps) {
    this.#deps = deps;
    // From the moment on that a device has a new data key, nothing is sealed under the one before.
    deps.registry.onChange(({ id, contentKeyRef }) => {
      this.#verifiers.get(id)?.useContentKey(contentKeyRef);
    });
  }

  /** Opens the way for an admitted peer; an `OpenHandler`. */
  readonly open = async (peer: AdmittedPeer): Promise<SessionHandler> => {
    if (peer.kind !== 'device') return this.#personHandler(peer);
    const verifier = await this.#verifierOf(peer.principal);
    const device = this.#deps.registry.byId(peer.principal);
    if (device === undefined) throw new Error(`device ${peer.principal} has gone`);
    if (device.state === 'claimed') this.#activate(device, peer.address);
    return this.#deviceHandler(peer, new Grant(peer, this.#deps.permissions), verifier);
  };

  /** Sends a command to a device. Resolves once it is durable, with whether a session of it
   * has it, as 1 or 0. */
  command(request: CommandRequest): Promise<{ index: number; receivers: number } | Refusal> {
    const message = this.#signCommand(request);
    if (message instanceof Refusal) return Promise.resolve(message);
    const { journal, router } = this.#deps;
    return new Promise((resolve) => {
      journal.append(message, (journaled) => {
        router.route(journaled);
        // Services may read commands, too: what counts is the device's own session.
        const receivers = router.reaches(message.topic, request.deviceId) ? 1 : 0;
        resolve({ index: journaled.index, receivers });
      });
    });
  }

  /**
   * Destroys what a device has sent; its replay window goes on where it was. Gives the numbers of
   * the data keys that were destroyed, and how far the device had counted.
   */
  async eraseContent(deviceId: string): Promise<ErasedContent> {
    const verifier = await this.#verifierOf(deviceId);
    const { registry, router } = this.#deps;
    const before = registry.byId(deviceId);
    const upTo = verifier.highestCounter;
    const erased = registry.eraseContent(deviceId, upTo);
    if (erased !== undefined) verifier.useContentKey(erased.contentKeyRef);
    router.forgetRetained(`d/${deviceId}/#`);
    return {
      keyRefs: before === undefined ? [] : contentKeyRefsOf(before),
      seen: { generation: verifier.generation, upTo },
    };
  }

  #deviceHandler(peer: AdmittedPeer, grant: Grant, verifier: DeviceVerifier): SessionHandler {
    const { countAccepted } = this.#deps;
    const verify = (publish: InboundPublish): VerifiedMessage | Refusal => {
      const permitted = grant.permitPublish(publish);
      return permitted instanceof Refusal ? permitted : verifier.verify(permitted);
    };
    const verifyWill = (will: InboundPublish): VerifiedMessage | Refusal => {
      const permitted = grant.permitPublish(will);
      return permitted instanceof Refusal ? permitted : verifier.verifyWill(permitted);
    };
    return {
      publish: (publish, done) => {
        // Before it is looked at: a counter that was accepted could not be sent again.
        if (!this.#deps.disk.hasRoom) return this.#refuseFull(peer, publish.topic, done);
        const verified = verify(publish);
        if (verified instanceof Refusal) {
          this.#report(verified, { peer, topic: publish.topic });
          return this.#answerRefused({ refusal: verified, topic: publish.topic, done });
        }
        countAccepted(verified);
        this.#markKeyInUse(peer.principal);
        return this.#store(verified, { peer, done });
      },
      verifyWill: (will) => {
        const verified = verifyWill(will);
        if (verified instanceof Refusal) return this.#report(verified, { peer, topic: will.topic });
        return {
          publish: () => this.#store(verifier.restamp(verified), { peer, done: () => {} }),
        };
      },
      permitSubscription: (filter) => grant.permitSubscription(filter),
    };
  }

  /** People and apps read, and send commands, which the server signs for them. */
  #personHandler(peer: AdmittedPeer): SessionHandler {
    const grant = new Grant(peer, this.#deps.permissions);
    const sign = (publish: InboundPublish): VerifiedMessage | Refusal => {
      const permitted = grant.permitPublish(publish);
      if (permitted instanceof Refusal) return permitted;
      const place = parseCommandTopic(publish.topic);
      const body = parseCommandBody(publish.payload);
      if (body instanceof Refusal) return body;
      return this.#signCommand({ ...place, body, principal: peer.principal });
    };
    return {
      publish: (publish, done) => {
        if (!this.#deps.disk.hasRoom) return this.#refuseFull(peer, publish.topic, done);
        const signed = sign(publish);
        if (!(signed instanceof Refusal)) return this.#store(signed, { peer, done });
        this.#report(signed, { peer, topic: publish.topic });
        return this.#answerRefused({ refusal: signed, topic: publish.topic, done });
      },
      verifyWill: (will) => {
        const refusal = refuse('E_AUTHORIZE_PUBLISH', `a ${peer.kind} leaves no will`);
        return this.#report(refusal, { peer, topic: will.topic });
      },
      permitSubscription: (filter) => grant.permitSubscription(filter),
    };
  }

  /**
   * Answers as if the message had been accepted: with whether anybody is subscribed, which of a
   * topic that is not the peer's own is nobody's business.
   */
  #answerRefused({ refusal, topic, done }: RefusedPublish): void {
    const { journal, router } = this.#deps;
    const isOwnTopic = refusal.code !== 'E_AUTHORIZE_PUBLISH';
    journal.barrier(() => done(isOwnTopic && router.hasSubscribers(topic), refusal));
  }

  /** Answers in its turn, as PUBACKs have their order, that a message has to be sent again. */
  #refuseFull(peer: AdmittedPeer, topic: string, done: PublishDone): void {
    const { journal, disk } = this.#deps;
    const { freeBytes, reserveBytes } = disk.figures;
    const detail = `${freeBytes ?? 'unknown'} bytes are free, and ${reserveBytes} are kept`;
    const refusal = this.#report(refuse('E_JOURNAL_DISK_FULL', detail), { peer, topic });
    journal.barrier(() => done(false, refusal));
  }

  #store(
    message: VerifiedMessage,
    { peer, done }: { peer: AdmittedPeer; done: PublishDone },
  ): void {
    const { journal, router } = this.#deps;
    journal.append(message, (journaled) => {
      // PUBREC says that it is received, PUBACK that it is on its way. MQTT 5 §4.3.2, §4.3.3
      if (message.qos === 2) done(true);
      const { refusal, receivers } = router.route(journaled);
      if (message.qos !== 2) done(receivers > 0);
      if (refusal !== undefined) this.#report(refusal, { peer, topic: message.topic });
    });
  }

  #report(refusal: Refusal, { peer, topic }: { peer: AdmittedPeer; topic: string }): Refusal {
    const { principal, address } = peer;
    this.#deps.report({ refusal, topic, principal, address });
    return refusal;
  }

  #signCommand({ deviceId, name, body, principal }: CommandRequest): VerifiedMessage | Refusal {
    const { registry, payloadKeys, clock } = this.#deps;
    const device = registry.byId(deviceId);
    if (device === undefined) return refuse('E_OPERATE_NOT_FOUND', `no device ${deviceId}`);
    const nowMs = clock.nowMs();
    // Counts on across restarts without being stored: nobody sends a thousand commands a second.
    this.#commandCounter = Math.max(this.#commandCounter + 1, nowMs);
    const keys = payloadKeys.of(device);
    const counter = this.#commandCounter;
    return signCommand({ device, keys, name, body, principal, counter, nowMs });
  }

  async #verifierOf(deviceId: string): Promise<DeviceVerifier> {
    const { registry, payloadKeys, clock, storedCounters, lateMaxMs } = this.#deps;
    const device = registry.byId(deviceId);
    if (device === undefined) throw new Error(`device ${deviceId} has gone`);
    const isCurrent = (verifier: DeviceVerifier | undefined): verifier is DeviceVerifier =>
      verifier?.generation === device.payloadKeyGeneration;
    const known = this.#verifiers.get(deviceId);
    if (isCurrent(known)) return known;
    const keys = payloadKeys.of(device);
    const counters = await storedCounters(deviceId, keys.kid);
    // Another connection of the device may have been faster: its window is the one that counts.
    const faster = this.#verifiers.get(deviceId);
    if (isCurrent(faster)) return faster;
    const late = lateMaxMs === undefined ? {} : { lateMaxMs: () => lateMaxMs(deviceId) };
    const verifier = new DeviceVerifier({ device, keys, clock, counters, ...late });
    // What it sent may have been erased while its counters were read.
    verifier.useContentKey((registry.byId(deviceId) ?? device).contentKeyRef);
    this.#verifiers.set(deviceId, verifier);
    return verifier;
  }

  /** The connection does not wait for the record: what it may do, its claim has given it. */
  #activate(device: Device, address: string): void {
    const { registry, recordAct, log } = this.#deps;
    const { id } = device;
    const reason = 'connected with its certificate';
    // Another connection of the device may have been faster.
    if (registry.changeState(id, { act: 'activate', by: id, reason }) instanceof Refusal) return;
    const facts = { stateBefore: device.state, address };
    recordAct({ action: 'device.activate', principal: id, target: id, facts }).catch(
      (error: unknown) => {
        const event = { 'event.action': 'device.activate', 'event.outcome': 'failure' };
        log.error({ ...event, 'error.message': String(error) }, 'an act cannot be recorded');
      },
    );
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
