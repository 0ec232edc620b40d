/** Messages from `publish` to PUBACK by way of the disk: signed at once, sent in order. @module */
import { type ProtocolLevel, REASON, encodePublish } from '@holdfast/protocol/mqtt';
import type { CounterFile } from './counter-file.ts';
import type { DeviceError } from './device-error.ts';
import { keptError } from './device-failures.ts';
import { COUNTER_SPREAD_MAX, IN_FLIGHT_MAX, QUEUE_MESSAGES_MAX } from './limits.ts';
import { type MessageOutbox, type Outgoing, PacketIds } from './outbox.ts';
import type { SignReading } from './reading.ts';
import type { MessageStore } from './store/message-store.ts';
import { storeFullError } from './store/store-error.ts';

/** What a stored outbox needs. */
export interface StoredOutboxDeps {
  readonly store: MessageStore;
  readonly counters: Pick<CounterFile, 'take'>;
  readonly sign: SignReading;
  readonly nowMs: () => number;
  readonly level: ProtocolLevel;
  /** There is something new to send. */
  readonly onReady: () => void;
}

/**
 * An outbox whose QoS 1 messages are in a store. Each has the counter and the time of its making,
 * however late it is sent; a crash does not lose it.
 */
export class StoredOutbox implements MessageOutbox {
  readonly #deps: StoredOutboxDeps;
  /** Who waits for an acknowledgement, by counter. */
  readonly #waiters = new Map<number, Outgoing>();
  /** Messages of QoS 0. */
  #fleeting: Outgoing[] = [];
  /** Counters of what this connection has sent, by packet id. */
  readonly #sent = new Map<number, number>();
  readonly #packetIds = new PacketIds(this.#sent);
  #inFlightMax = IN_FLIGHT_MAX;

  constructor(deps: StoredOutboxDeps) {
    this.#deps = deps;
  }

  /** @throws DeviceError `E_DEVICE_QUEUE_FULL`, `E_DEVICE_COUNTER` */
  add(message: Outgoing): void {
    if (message.qos === 1) {
      void this.#store(message);
      return;
    }
    if (this.#fleeting.length >= QUEUE_MESSAGES_MAX) {
      throw storeFullError(`${QUEUE_MESSAGES_MAX} messages of QoS 0 wait already`);
    }
    this.#fleeting.push(message);
    this.#deps.onReady();
  }

  take(): Uint8Array | undefined {
    const { store } = this.#deps;
    for (;;) {
      const next = store.nextCounter;
      if (next === undefined) return this.#takeFleeting();
      if (this.#sent.size >= this.#inFlightMax || this.#isSpreadFull(next)) return undefined;
      try {
        return this.#takeStored();
      } catch (error) {
        // The disk cannot be read now; it is tried again with the next thing that happens.
        if (store.nextCounter === next) return undefined;
        this.#giveUp(next, error);
      }
    }
  }

  /** The store has dropped a message for newer ones. */
  dropped(counter: number): void {
    this.#giveUp(counter, storeFullError('The store is full, and newer readings came'));
  }

  connectionOpened(receiveMax: number): void {
    this.#inFlightMax = Math.min(IN_FLIGHT_MAX, receiveMax);
  }

  connectionLost(): void {
    this.#sent.clear();
    this.#deps.store.rewind();
  }

  acknowledge(packetId: number): void {
    const counter = this.#doneWith(packetId);
    if (counter === undefined) return;
    this.#waiters.get(counter)?.resolve();
    this.#waiters.delete(counter);
  }

  refused(packetId: number, error: DeviceError, reasonCode: number): 'given-up' | 'later' {
    if (PASSING.has(reasonCode)) return 'later';
    const counter = this.#doneWith(packetId);
    if (counter !== undefined) this.#giveUp(counter, error);
    return 'given-up';
  }

  async close(error: DeviceError): Promise<void> {
    for (const { reject } of this.#fleeting) reject(error);
    this.#fleeting = [];
    await this.#deps.store.close();
    for (const { reject } of this.#waiters.values()) reject(keptError());
    this.#waiters.clear();
  }

  async #store(message: Outgoing): Promise<void> {
    const { topic, reading, retain, until, resolve, reject } = message;
    try {
      const { store, counters, sign, nowMs, onReady } = this.#deps;
      store.makeRoom(message.bytes);
      const counter = counters.take();
      const payload = sign(reading, { ctr: counter, ts: nowMs() });
      if (until === 'acknowledged') this.#waiters.set(counter, message);
      try {
        await store.append({ counter, topic, retain, payload });
      } catch (error) {
        this.#waiters.delete(counter);
        throw error;
      }
      if (until === 'stored') resolve();
      onReady();
    } catch (error) {
      reject(error);
    }
  }

  #takeStored(): Uint8Array | undefined {
    const { store, level } = this.#deps;
    const taken = store.take();
    if (taken === undefined) return undefined;
    const { topic, payload, retain, counter } = taken.message;
    const packetId = this.#packetIds.next();
    this.#sent.set(packetId, counter);
    return encodePublish(topic, payload, { qos: 1, retain, packetId, dup: taken.wasSent }, level);
  }

  /** Behind all that is stored: its counter, taken now, is higher. */
  #takeFleeting(): Uint8Array | undefined {
    const message = this.#fleeting.shift();
    if (message === undefined) return undefined;
    const { counters, sign, nowMs, level } = this.#deps;
    const { topic, reading, retain, resolve, reject } = message;
    try {
      const payload = sign(reading, { ctr: counters.take(), ts: nowMs() });
      resolve();
      return encodePublish(topic, payload, { qos: 0, retain }, level);
    } catch (error) {
      reject(error);
      return undefined;
    }
  }

  /** A message sent again must not be older than the window in which a server knows counters. */
  #isSpreadFull(next: number): boolean {
    const [oldest = next] = this.#sent.values();
    return next - oldest >= COUNTER_SPREAD_MAX;
  }

  #doneWith(packetId: number): number | undefined {
    const counter = this.#sent.get(packetId);
    this.#sent.delete(packetId);
    if (counter !== undefined) this.#deps.store.done(counter);
    return counter;
  }

  #giveUp(counter: number, error: unknown): void {
    this.#waiters.get(counter)?.reject(error);
    this.#waiters.delete(counter);
  }
}

/** Reason codes of what may pass: the same message will be taken later. MQTT 5 §3.4.2.1 */
const PASSING: ReadonlySet<number> = new Set([
  REASON.unspecifiedError,
  REASON.implementationSpecificError,
  REASON.quotaExceeded,
]);
