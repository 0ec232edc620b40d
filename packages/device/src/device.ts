/** A connected device: publishes readings, carries out commands, and stays connected. @module */
import { join } from 'node:path';
import type { Publish, Suback } from '@holdfast/protocol/mqtt';
import { encodePuback, encodeSubscribe } from '@holdfast/protocol/mqtt';
import { BackOff } from './back-off.ts';
import { BUNDLE_FILES, type Bundle, loadBundle } from './bundle.ts';
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
import { DeviceError } from './device-error.ts';
import { KEEP_ALIVE_S } from './limits.ts';
import { MqttLink } from './mqtt-link.ts';
import { Outbox, SUBSCRIBE_PACKET_ID } from './outbox.ts';
import { copyReading, deviceTopic, readingSigner } from './reading.ts';

/** How to connect. */
export interface ConnectOptions {
  /** The bundle, or the folder that it is in. Only one process may use a bundle at a time. */
  readonly bundle: string | Bundle;
  /** Longest silence toward the server, in seconds: 5 to 3,600, default 60. */
  readonly keepAliveS?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Draws the delays of reconnects. Default: the system's generator. */
  readonly random?: RandomFraction;
}

/** How to publish a reading. */
export interface PublishOptions {
  /** `telemetry` (default), `telemetry/…`, `state` or `ack/…`: what follows `d/<id>/`. */
  readonly topic?: string;
  /** 1 (default): sent until acknowledged. 0: sent once, and lost with the connection. */
  readonly qos?: 0 | 1;
  /** Whether the server keeps it for later subscribers. Default: only on `state`. */
  readonly retain?: boolean;
}

/** The condition of the connection. */
export type DeviceStatus =
  | { readonly state: 'connecting' }
  | { readonly state: 'online' }
  | { readonly state: 'offline'; readonly error: DeviceError; readonly retryInMs: number }
  | { readonly state: 'closed' };

/**
 * Connects a device and keeps it connected until {@link Device.close}. It is returned at once:
 * readings can be published before the connection stands, and wait for it.
 *
 * @throws DeviceError `E_DEVICE_BUNDLE`, `E_DEVICE_MODE`, `E_DEVICE_COUNTER`
 * @throws RangeError for a keep-alive out of range
 * @example
 * const device = connect({ bundle: './thermostat-1' });
 * await device.publish({ temp: 23.5 });
 * await device.close();
 */
export function connect(options: ConnectOptions): Device {
  const { keepAliveS = KEEP_ALIVE_S.default } = options;
  if (!Number.isInteger(keepAliveS) || keepAliveS < KEEP_ALIVE_S.min) throw keepAliveError();
  if (keepAliveS > KEEP_ALIVE_S.max) throw keepAliveError();
  const bundle = typeof options.bundle === 'string' ? loadBundle(options.bundle) : options.bundle;
  const clock = options.clock ?? systemClock;
  return new Device(bundle, { clock, keepAliveS, random: options.random ?? systemRandom });
}

/** A device. Made by {@link connect}. */
export class Device {
  /** Device id. */
  readonly id: string;
  readonly #bundle: Bundle;
  readonly #clock: Clock;
  readonly #keepAliveS: number;
  readonly #backOff: BackOff;
  readonly #outbox: Outbox;
  readonly #commands: CommandQueue;
  readonly #statusListeners: ((status: DeviceStatus) => void)[] = [];
  readonly #refusedListeners: ((refused: RefusedCommand) => void)[] = [];
  #status: DeviceStatus = { state: 'connecting' };
  #link: MqttLink;
  #openedAtMs: number | undefined;
  #cancelRetry: CancelTimer = () => {};
  #wantsCommands = false;
  #isPumpScheduled = false;

  constructor(
    bundle: Bundle,
    deps: { readonly clock: Clock; readonly keepAliveS: number; readonly random: RandomFraction },
  ) {
    this.id = bundle.device;
    this.#bundle = bundle;
    this.#clock = deps.clock;
    this.#keepAliveS = deps.keepAliveS;
    this.#backOff = new BackOff(deps.random);
    const path = (name: string): string => join(bundle.folder, name);
    this.#outbox = new Outbox({
      counters: new CounterFile(path(BUNDLE_FILES.counter), deps.clock.nowMs()),
      sign: readingSigner(bundle.payloadKey),
    });
    this.#commands = this.#commandQueue(new CommandWindow(path(BUNDLE_FILES.commandsSeen)));
    this.#link = this.#dial();
  }

  /** The condition of the connection now. */
  get status(): DeviceStatus {
    return this.#status;
  }

  /**
   * Signs a reading with the payload key and sends it, now or as soon as there is a connection.
   * "ctr" and "ts" are added when it is sent: a time of measurement belongs in a member of its own.
   *
   * @param reading - a plain object of JSON values, without "ctr", "ts" and "sig". It is copied.
   * @returns with QoS 1, a promise that resolves when the server has acknowledged: it has then
   *   made the reading durable, or the record that it refused it. With QoS 0, one that resolves
   *   when the reading is written.
   * @throws DeviceError (as rejection) `E_DEVICE_READING`, `E_DEVICE_QUEUE_FULL`,
   *   `E_DEVICE_COUNTER`, `E_DEVICE_CLOSED`
   */
  publish(reading: object, options: PublishOptions = {}): Promise<void> {
    const { topic = 'telemetry', qos = 1, retain = topic === 'state' } = options;
    return new Promise((resolve, reject) => {
      if (this.#status.state === 'closed') throw closedError();
      const copy = copyReading(reading);
      const message = { ...copy, topic: deviceTopic(this.id, topic), qos, retain, resolve, reject };
      this.#outbox.add(message);
      this.#schedulePump();
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

  /** Calls `listener` for each command that is refused, or whose handler throws. */
  onRefused(listener: (refused: RefusedCommand) => void): void {
    this.#refusedListeners.push(listener);
  }

  /** Calls `listener` whenever the status changes. */
  onStatus(listener: (status: DeviceStatus) => void): void {
    this.#statusListeners.push(listener);
  }

  /**
   * Disconnects for good. What is not acknowledged yet is rejected with `E_DEVICE_CLOSED`: wait for
   * the promises of `publish` first.
   */
  async close(): Promise<void> {
    if (this.#status.state === 'closed') return;
    this.#cancelRetry();
    this.#commands.stop();
    this.#outbox.rejectAll(closedError());
    this.#setStatus({ state: 'closed' });
    await this.#link.close();
  }

  #dial(): MqttLink {
    return new MqttLink(
      this.#bundle,
      { clock: this.#clock, keepAliveS: this.#keepAliveS },
      {
        onOpen: () => this.#opened(),
        onPublish: (publish) => this.#received(publish),
        onPuback: (packetId) => {
          this.#outbox.acknowledge(packetId);
          this.#schedulePump();
        },
        onSuback: (suback) => this.#subscribed(suback),
        onDrain: () => this.#schedulePump(),
        onEnd: (error) => this.#ended(error),
      },
    );
  }

  #opened(): void {
    this.#openedAtMs = this.#clock.monotonicMs();
    this.#subscribe();
    this.#pump();
    this.#setStatus({ state: 'online' });
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
    if (!this.#wantsCommands) return;
    const subscription = {
      filter: `d/${this.id}/cmd/#`,
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    } as const;
    const subscribe = {
      packetId: SUBSCRIBE_PACKET_ID,
      subscriptions: [subscription],
      properties: {},
    };
    this.#link.write([encodeSubscribe(subscribe, 4)]);
  }

  #subscribed({ reasonCodes }: Suback): void {
    if (!reasonCodes.includes(SUBACK_REFUSED)) return;
    const topic = `d/${this.id}/cmd/#`;
    const detail = 'the server refused the subscription: no command will arrive';
    this.#report({ topic, code: 'E_AUTHORIZE_SUBSCRIBE', detail });
  }

  #received(publish: Publish): void {
    const link = this.#link;
    this.#commands.add(publish, () => {
      // A link that ended meanwhile takes nothing; the server then sends the command again.
      if (publish.qos === 1) link.write([encodePuback(publish.packetId)]);
    });
  }

  #commandQueue(window: CommandWindow): CommandQueue {
    const { device, commandKey } = this.#bundle;
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

function keepAliveError(): RangeError {
  return new RangeError(`keepAliveS is an integer, ${KEEP_ALIVE_S.min} to ${KEEP_ALIVE_S.max}`);
}

function closedError(): DeviceError {
  return new DeviceError('E_DEVICE_CLOSED', {
    message: 'The device object was closed.',
    fix: 'Connect again, with connect().',
  });
}

const SUBACK_REFUSED = 0x80;
/** Bounds what is copied into one chunk. */
const PACKETS_PER_WRITE_MAX = 32;
