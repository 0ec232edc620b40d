/** A connected device: publishes readings, carries out commands, and stays connected. @module */
import { join } from 'node:path';
import type { Publish, Suback } from '@holdfast/protocol/mqtt';
import { encodePuback, encodeSubscribe } from '@holdfast/protocol/mqtt';
import { BackOff } from './back-off.ts';
import { BUNDLE_FILES } from './bundle-files.ts';
import { type DeviceBundle, loadBundle } from './bundle.ts';
import {
  type CancelTimer,
  type Clock,
  type RandomFraction,
  systemClock,
  systemRandom,
} from './clock.ts';
import { type CommandHandler, CommandQueue, type RefusedCommand } from './command-queue.ts';
import { CommandWindow } from './command-window.ts';
import { verifyCommand } from './command.ts';
import { CounterFile } from './counter-file.ts';
import type { DeviceError } from './device-error.ts';
import {
  closedError,
  keepAliveError,
  noStoreError,
  notTakenError,
  switchError,
} from './device-failures.ts';
import type {
  BufferOptions,
  ConnectOptions,
  DeviceStatus,
  PublishOptions,
} from './device-options.ts';
import { DeviceUpkeep, type UpkeepEvent } from './device-upkeep.ts';
import type { DeviceIdentity } from './identity-files.ts';
import { IdentitySwitch } from './identity-switch.ts';
import { KEEP_ALIVE_S } from './limits.ts';
import { MqttLink, protocolLevelOf } from './mqtt-link.ts';
import { type MessageOutbox, Outbox, SUBSCRIBE_PACKET_ID } from './outbox.ts';
import { copyReading, deviceTopic, readingSigner } from './reading.ts';
import { type MessageStore, type StoreFigures } from './store/message-store.ts';
import { openMessageStore } from './store/open-message-store.ts';
import { StoredOutbox } from './stored-outbox.ts';

/**
 * Connects a device and keeps it connected until {@link Device.close}. It is returned at once:
 * readings can be published before the connection stands, and wait for it.
 *
 * @throws DeviceError `E_DEVICE_BUNDLE`, `E_DEVICE_MODE`, `E_DEVICE_TOKEN`, `E_DEVICE_COUNTER`,
 *   `E_DEVICE_STORE`, `E_DEVICE_STORE_BUSY`
 * @throws RangeError for a keep-alive or bounds of the buffer out of range
 * @example
 * const device = connect({ bundle: './thermostat-1' });
 * await device.publish({ temp: 23.5 });
 * await device.close();
 */
export function connect(options: ConnectOptions): Device {
  const { keepAliveS = KEEP_ALIVE_S.default } = options;
  if (!Number.isInteger(keepAliveS) || keepAliveS < KEEP_ALIVE_S.min) throw keepAliveError();
  if (keepAliveS > KEEP_ALIVE_S.max) throw keepAliveError();
  const { bundle: given, token, buffer = {} } = options;
  const bundle = typeof given === 'string' ? loadBundle(given, { token }) : given;
  const clock = options.clock ?? systemClock;
  return new Device(bundle, { clock, keepAliveS, buffer, random: options.random ?? systemRandom });
}

/** A device. Made by {@link connect}. */
export class Device {
  /** Device id. */
  readonly id: string;
  readonly #identities: IdentitySwitch;
  readonly #upkeep: DeviceUpkeep;
  readonly #clock: Clock;
  readonly #keepAliveS: number;
  readonly #backOff: BackOff;
  readonly #outbox: MessageOutbox;
  readonly #store: MessageStore | undefined;
  readonly #commands: CommandQueue;
  readonly #statusListeners: ((status: DeviceStatus) => void)[] = [];
  readonly #refusedListeners: ((refused: RefusedCommand) => void)[] = [];
  readonly #deliveredListeners: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  readonly #upkeepListeners: ((event: UpkeepEvent) => void)[] = [];
  readonly #noticeListeners: (() => void)[] = [];
  #status: DeviceStatus = { state: 'connecting' };
  #link: MqttLink;
  #openedAtMs: number | undefined;
  #cancelRetry: CancelTimer = () => {};
  #wantsCommands = false;
  #isPumpScheduled = false;

  constructor(
    bundle: DeviceBundle,
    deps: {
      readonly clock: Clock;
      readonly keepAliveS: number;
      readonly random: RandomFraction;
      readonly buffer: BufferOptions | false;
    },
  ) {
    this.id = bundle.device;
    const { clock, random, keepAliveS } = deps;
    this.#identities = new IdentitySwitch(bundle);
    this.#clock = clock;
    this.#keepAliveS = keepAliveS;
    this.#backOff = new BackOff(random);
    const path = (name: string): string => join(bundle.folder, name);
    this.#commands = this.#commandQueue(new CommandWindow(path(BUNDLE_FILES.commandsSeen)));
    this.#store = this.#openStore(bundle, deps.buffer);
    this.#outbox = this.#openOutbox(bundle, this.#store);
    this.#link = this.#dial();
    this.#upkeep = new DeviceUpkeep({
      clock,
      random,
      identities: this.#identities,
      onNext: () => void this.#dialAnew(),
      tell: (event) => this.#tellUpkeep(event),
    });
  }

  /** The condition of the connection now. */
  get status(): DeviceStatus {
    return this.#status;
  }

  /**
   * Signs a reading with the payload key and sends it, now or as soon as there is a connection.
   * "ctr" and "ts" are added: with QoS 1 and a buffer now, and kept however late it is sent; else
   * when it is sent.
   *
   * @param reading - a plain object of JSON values, without "ctr", "ts" and "sig". It is copied.
   * @returns with QoS 1, a promise that resolves when the server has acknowledged: it has then
   *   made the reading durable, or the record that it refused it. With `until: 'stored'`, one that
   *   resolves when the disk of this device has it. With QoS 0, when it is written.
   * @throws DeviceError (as rejection) `E_DEVICE_READING`, `E_DEVICE_QUEUE_FULL`,
   *   `E_DEVICE_COUNTER`, `E_DEVICE_STORE`, `E_DEVICE_CLOSED`
   */
  publish(reading: object, options: PublishOptions = {}): Promise<void> {
    const { topic = 'telemetry', qos = 1, retain = topic === 'state' } = options;
    const { until = 'acknowledged' } = options;
    return new Promise((resolve, reject) => {
      if (this.#status.state === 'closed') throw closedError();
      const isStored = this.#store !== undefined && qos === 1;
      if (until === 'stored' && !isStored) throw noStoreError();
      const copy = copyReading(reading);
      const to = { topic: deviceTopic(this.id, topic), qos, retain, until };
      this.#outbox.add({ ...copy, ...to, resolve, reject });
      this.#schedulePump();
    });
  }

  /** What waits on the disk for the server; undefined without a buffer. */
  get buffered(): StoreFigures | undefined {
    return this.#store?.figures;
  }

  /** Resolves as soon as nothing waits on the disk; rejects with `E_DEVICE_CLOSED` before that. */
  delivered(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#deliveredListeners.push({ resolve, reject });
      this.#tellDelivered();
    });
  }

  /**
   * Subscribes to the commands for this device. The handler gets each one at most once, one at a
   * time, and only when it is signed by the server, fresh, and new. It is acknowledged when the
   * handler has finished. A later call replaces the handler.
   */
  onCommand(handler: CommandHandler): void {
    this.#commands.setHandler(handler);
    const isFirst = !this.#wantsCommands;
    this.#wantsCommands = true;
    if (isFirst) this.#subscribe();
  }

  /**
   * Subscribes to the notice that something changed about the firmware update of this device, and
   * calls `listener` for each. Nothing in a notice is believed: it is a reason to ask.
   */
  onUpdateNotice(listener: () => void): void {
    this.#noticeListeners.push(listener);
    if (this.#noticeListeners.length === 1) this.#subscribe();
  }

  /** Calls `listener` for each command that is refused, or whose handler throws. */
  onRefused(listener: (refused: RefusedCommand) => void): void {
    this.#refusedListeners.push(listener);
  }

  /** Calls `listener` whenever the status changes. */
  onStatus(listener: (status: DeviceStatus) => void): void {
    this.#statusListeners.push(listener);
  }

  /**
   * Calls `listener` for each renewal of the certificate and each update of the pins, and for
   * those that failed. A device renews by itself, at two thirds of its certificate's life.
   */
  onUpkeep(listener: (event: UpkeepEvent) => void): void {
    this.#upkeepListeners.push(listener);
  }

  /**
   * Renews the certificate now, with a new key. Resolves when both are in the bundle; the device
   * then connects with them, and `renewed` is told when the server has accepted that.
   * @throws DeviceError (as rejection) `E_DEVICE_RENEWAL`, or what the connection failed of
   */
  renewNow(): Promise<void> {
    return this.#upkeep.renewNow();
  }

  /**
   * Fetches the signed pin set of the server now, as the device does once a day. Resolves when the
   * pins are in use, or were not newer than those in use.
   * @throws DeviceError (as rejection) `E_DEVICE_PIN_SET`, `E_DEVICE_RENEWAL` (the bundle does not
   *   name the enrollment listener), or what the connection failed of
   */
  updatePins(): Promise<void> {
    return this.#upkeep.updatePins();
  }

  /**
   * Disconnects for good. What is not acknowledged yet is rejected with `E_DEVICE_CLOSED`; what the
   * buffer has is sent after the next start.
   */
  async close(): Promise<void> {
    if (this.#status.state === 'closed') return;
    this.#cancelRetry();
    this.#upkeep.stop();
    this.#commands.stop();
    this.#setStatus({ state: 'closed' });
    const given = this.#outbox.close(closedError());
    for (const { reject } of this.#deliveredListeners.splice(0)) reject(closedError());
    await Promise.all([given, this.#link.close()]);
  }

  #dial(): MqttLink {
    const identity = this.#identities.choose(this.#clock.nowMs());
    return new MqttLink(
      this.#identities.bundle,
      { clock: this.#clock, keepAliveS: this.#keepAliveS, identity },
      {
        onOpen: (receiveMax) => this.#opened(identity, receiveMax),
        onPublish: (publish) => this.#received(publish),
        onPuback: (packetId, reasonCode) => {
          this.#answered(packetId, reasonCode);
        },
        onSuback: (suback) => this.#subscribed(suback),
        onDrain: () => this.#schedulePump(),
        onEnd: (error) => {
          if (this.#openedAtMs === undefined) this.#identities.refused(identity, error.code);
          this.#ended(error);
        },
      },
    );
  }

  #answered(packetId: number, reasonCode: number): void {
    if (reasonCode < FAILURE_CODES) {
      this.#outbox.acknowledge(packetId);
    } else {
      const error = notTakenError(reasonCode);
      if (this.#outbox.refused(packetId, error, reasonCode) === 'later') {
        // The server is short of something: to go on at once would only add to it.
        void this.#link.close();
        this.#ended(error);
        return;
      }
    }
    this.#tellDelivered();
    this.#schedulePump();
  }

  /** Ends the connection and makes a new one: with a certificate that has just come. */
  async #dialAnew(): Promise<void> {
    const { state } = this.#status;
    this.#cancelRetry();
    if (state !== 'offline') await this.#link.close();
    if (this.#status.state === 'closed') return;
    this.#outbox.connectionLost();
    this.#openedAtMs = undefined;
    this.#link = this.#dial();
    this.#setStatus({ state: 'connecting' });
  }

  #opened(identity: DeviceIdentity, receiveMax: number): void {
    this.#openedAtMs = this.#clock.monotonicMs();
    this.#outbox.connectionOpened(receiveMax);
    this.#accepted(identity);
    this.#subscribe();
    this.#pump();
    this.#setStatus({ state: 'online' });
  }

  /** What cannot be written now is tried again with the next connection. */
  #accepted(identity: DeviceIdentity): void {
    try {
      if (this.#identities.accepted(identity) !== 'switched') return;
      this.#tellUpkeep({ type: 'renewed', validTo: identity.certificate.validToDate });
    } catch (cause) {
      this.#tellUpkeep({ type: 'renewal-failed', error: switchError(cause), retryInMs: 0 });
    }
  }

  #tellUpkeep(event: UpkeepEvent): void {
    for (const listener of this.#upkeepListeners) tell(listener, event);
  }

  #ended(error: DeviceError): void {
    this.#outbox.connectionLost();
    const nowMs = this.#clock.monotonicMs();
    const onlineMs = this.#openedAtMs === undefined ? 0 : nowMs - this.#openedAtMs;
    this.#openedAtMs = undefined;
    const retryInMs = this.#backOff.delayMs(onlineMs);
    this.#cancelRetry = this.#clock.after(retryInMs, () => {
      this.#link = this.#dial();
      this.#setStatus({ state: 'connecting' });
    });
    this.#setStatus({ state: 'offline', error, retryInMs });
  }

  #subscribe(): void {
    const filters = this.#filters();
    if (filters.length === 0) return;
    const subscriptions = filters.map((filter) => ({
      filter,
      qos: 1 as const,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0 as const,
    }));
    const subscribe = { packetId: SUBSCRIBE_PACKET_ID, subscriptions, properties: {} };
    this.#link.write([encodeSubscribe(subscribe, protocolLevelOf(this.#identities.bundle))]);
  }

  #filters(): readonly string[] {
    const filters: string[] = [];
    if (this.#wantsCommands) filters.push(`d/${this.id}/cmd/#`);
    if (this.#noticeListeners.length > 0) filters.push(this.#noticeTopic);
    return filters;
  }

  get #noticeTopic(): string {
    return `$holdfast/update/${this.id}`;
  }

  #subscribed({ reasonCodes }: Suback): void {
    const filters = this.#filters();
    for (const [at, code] of reasonCodes.entries()) {
      const topic = filters[at];
      if (code < FAILURE_CODES || topic === undefined) continue;
      const lost = topic === this.#noticeTopic ? 'notice of an update' : 'command';
      const detail = `the server refused the subscription: no ${lost} will arrive`;
      this.#report({ topic, code: 'E_AUTHORIZE_SUBSCRIBE', detail });
    }
  }

  #received(publish: Publish): void {
    const link = this.#link;
    if (publish.topic === this.#noticeTopic) {
      if (publish.qos === 1) link.write([encodePuback(publish.packetId)]);
      for (const listener of this.#noticeListeners) tell(listener, undefined);
      return;
    }
    this.#commands.add(publish, () => {
      // A link that ended meanwhile takes nothing; the server then sends the command again.
      if (publish.qos === 1) link.write([encodePuback(publish.packetId)]);
    });
  }

  #openStore(bundle: DeviceBundle, buffer: BufferOptions | false): MessageStore | undefined {
    if (buffer === false) return undefined;
    return openMessageStore(bundle, buffer, (counter) => {
      if (this.#outbox instanceof StoredOutbox) this.#outbox.dropped(counter);
    });
  }

  #openOutbox(bundle: DeviceBundle, store: MessageStore | undefined): MessageOutbox {
    const path = join(bundle.folder, BUNDLE_FILES.counter);
    const nowMs = (): number => this.#clock.nowMs();
    // What is stored keeps its counters: those of new messages have to be higher.
    const counters = new CounterFile(path, Math.max(nowMs(), (store?.lastCounter ?? 0) + 1));
    const sign = readingSigner(bundle.payloadKey);
    const level = protocolLevelOf(bundle);
    if (store === undefined) return new Outbox({ counters, sign, level });
    const onReady = (): void => this.#schedulePump();
    return new StoredOutbox({ store, counters, sign, nowMs, level, onReady });
  }

  #tellDelivered(): void {
    if ((this.#store?.figures.messages ?? 0) > 0) return;
    for (const { resolve } of this.#deliveredListeners.splice(0)) resolve();
  }

  #commandQueue(window: CommandWindow): CommandQueue {
    const { device, commandKey } = this.#identities.bundle;
    return new CommandQueue({
      verify: (publish) => {
        return verifyCommand(publish, { device, commandKey, window, nowMs: this.#clock.nowMs() });
      },
      report: (refused) => this.#report(refused),
    });
  }

  #report(refused: RefusedCommand): void {
    for (const listener of this.#refusedListeners) tell(listener, refused);
  }

  /** Readings that are published in one go are written in one go. */
  #schedulePump(): void {
    if (this.#isPumpScheduled) return;
    this.#isPumpScheduled = true;
    queueMicrotask(() => {
      this.#isPumpScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    const packets: Uint8Array[] = [];
    const nowMs = this.#clock.nowMs();
    while (this.#link.isOpen && !this.#link.isFull && packets.length < PACKETS_PER_WRITE_MAX) {
      const packet = this.#outbox.take(nowMs);
      if (packet === undefined) break;
      packets.push(packet);
    }
    this.#link.write(packets);
    if (packets.length === PACKETS_PER_WRITE_MAX) this.#schedulePump();
  }

  #setStatus(status: DeviceStatus): void {
    if (this.#status.state === 'closed') return;
    this.#status = status;
    for (const listener of this.#statusListeners) tell(listener, status);
  }
}

/** A listener that throws is a defect of the program: it must surface, but not derail a stage. */
function tell<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** From here on a code of SUBACK or PUBACK says that something failed. MQTT 5 §2.4 */
const FAILURE_CODES = 0x80;
/** Bounds what is copied into one chunk. */
const PACKETS_PER_WRITE_MAX = 32;
