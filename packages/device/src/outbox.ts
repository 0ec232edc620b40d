/** Messages from `publish` to PUBACK: waiting, in flight, sent again in order. No I/O. @module */
import { type ProtocolLevel, encodePublish } from '@holdfast/protocol/mqtt';
import type { CounterFile } from './counter-file.ts';
import { DeviceError } from './device-error.ts';
import {
  COUNTER_SPREAD_MAX,
  IN_FLIGHT_MAX,
  QUEUE_BYTES_MAX,
  QUEUE_MESSAGES_MAX,
  SIGNATURE_AGE_MS_MAX,
} from './limits.ts';
import type { SignReading } from './reading.ts';

/** A message that is to be sent. */
export interface Outgoing {
  readonly topic: string;
  readonly reading: Readonly<Record<string, unknown>>;
  /** Size of its JSON text, in bytes. */
  readonly bytes: number;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Which of the two {@link resolve} waits for. Only a store on the disk knows `stored`. */
  readonly until: 'acknowledged' | 'stored';
  /** It is acknowledged, or stored; or with QoS 0, it is written. */
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What a device needs of an outbox, in memory or on the disk. */
export interface MessageOutbox {
  /** Throws when it does not take the message. */
  add(message: Outgoing): void;
  /** The next packet to write; undefined when nothing may be sent now. */
  take(nowMs: number): Uint8Array | undefined;
  connectionOpened(receiveMax: number): void;
  connectionLost(): void;
  acknowledge(packetId: number): void;
  /** @returns `later` when the message is kept, to be sent on another connection. */
  refused(packetId: number, error: DeviceError, reasonCode: number): 'given-up' | 'later';
  /** Gives up what is only in memory, and lets go of what is on the disk. */
  close(error: DeviceError): Promise<void>;
}

/** A QoS 1 message that was sent. It keeps its counter and packet id until it is acknowledged. */
interface InFlight {
  readonly message: Outgoing;
  readonly packetId: number;
  readonly counter: number;
  payload: Uint8Array;
  signedAtMs: number;
}

/** The packet id of SUBSCRIBE; messages have all the others. */
export const SUBSCRIBE_PACKET_ID = 65_535;

/** Gives out packet ids that are not in use. */
export class PacketIds {
  readonly #used: ReadonlyMap<number, unknown>;
  #last = 0;

  /** @param used - by packet id, what waits for its PUBACK; fewer than there are ids */
  constructor(used: ReadonlyMap<number, unknown>) {
    this.#used = used;
  }

  next(): number {
    do this.#last = (this.#last % (SUBSCRIBE_PACKET_ID - 1)) + 1;
    while (this.#used.has(this.#last));
    return this.#last;
  }
}

/** What an outbox needs. */
export interface OutboxDeps {
  readonly counters: Pick<CounterFile, 'peek' | 'take'>;
  readonly sign: SignReading;
  /** Default: MQTT 3.1.1. */
  readonly level?: ProtocolLevel;
}

/** The messages of a device that are not acknowledged yet. */
export class Outbox implements MessageOutbox {
  readonly #deps: OutboxDeps;
  readonly #waiting: Outgoing[] = [];
  /** In the order of their counters. */
  readonly #inFlight = new Map<number, InFlight>();
  /** Those of {@link #inFlight} that this connection has not sent yet. */
  #resend: InFlight[] = [];
  #bytes = 0;
  readonly #packetIds = new PacketIds(this.#inFlight);
  #inFlightMax = IN_FLIGHT_MAX;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** @throws DeviceError `E_DEVICE_QUEUE_FULL` */
  add(message: Outgoing): void {
    const count = this.#waiting.length + this.#inFlight.size;
    if (count >= QUEUE_MESSAGES_MAX || this.#bytes + message.bytes > QUEUE_BYTES_MAX) {
      throw new DeviceError('E_DEVICE_QUEUE_FULL', {
        message: `${count} messages (${this.#bytes} bytes) wait for the server already.`,
        fix: 'Publish less often, drop this reading, or wait for the ones before.',
      });
    }
    this.#waiting.push(message);
    this.#bytes += message.bytes;
  }

  /**
   * The next packet to write, signed; undefined when nothing may be sent now. What the connection
   * before left unacknowledged comes first: its counters are lower, and must arrive in order.
   */
  take(nowMs: number): Uint8Array | undefined {
    const sentCount = this.#inFlight.size - this.#resend.length;
    if (sentCount >= this.#inFlightMax) return undefined;
    const again = this.#resend.shift();
    if (again !== undefined) return this.#encodeAgain(again, nowMs);
    for (;;) {
      if (this.#waiting.length === 0) return undefined;
      try {
        if (this.#isSpreadFull()) return undefined;
        return this.#encodeFirst(nowMs);
      } catch (error) {
        this.#drop(this.#waiting.shift())?.reject(error);
      }
    }
  }

  /** A connection stands, to a server that takes so many QoS 1 messages at a time; 1 or more. */
  connectionOpened(receiveMax: number): void {
    this.#inFlightMax = Math.min(IN_FLIGHT_MAX, receiveMax);
  }

  /** The server said by its PUBACK that it does not take a message. Only MQTT 5 can say so. */
  refused(packetId: number, error: DeviceError): 'given-up' {
    const message = this.#inFlight.get(packetId)?.message;
    if (this.#inFlight.delete(packetId)) this.#drop(message)?.reject(error);
    return 'given-up';
  }

  /** A PUBACK came. An unknown packet id means nothing: it may be one for an earlier connection. */
  acknowledge(packetId: number): void {
    const acknowledged = this.#inFlight.get(packetId);
    if (!this.#inFlight.delete(packetId)) return;
    this.#drop(acknowledged?.message)?.resolve();
  }

  /** The connection ended: everything in flight is to be sent again on the next one. */
  connectionLost(): void {
    this.#resend = [...this.#inFlight.values()];
  }

  close(error: DeviceError): Promise<void> {
    this.rejectAll(error);
    return Promise.resolve();
  }

  /** Gives up everything. */
  rejectAll(error: DeviceError): void {
    const messages = [...this.#inFlight.values()].map(({ message }) => message);
    messages.push(...this.#waiting);
    this.#inFlight.clear();
    this.#waiting.length = 0;
    this.#resend = [];
    this.#bytes = 0;
    for (const { reject } of messages) reject(error);
  }

  #isSpreadFull(): boolean {
    const [oldest] = this.#inFlight.values();
    if (oldest === undefined) return false;
    return this.#deps.counters.peek() - oldest.counter >= COUNTER_SPREAD_MAX;
  }

  #encodeFirst(nowMs: number): Uint8Array | undefined {
    const [message] = this.#waiting;
    if (message === undefined) return undefined;
    const counter = this.#deps.counters.take();
    const payload = this.#deps.sign(message.reading, { ctr: counter, ts: nowMs });
    this.#waiting.shift();
    const { topic, retain, qos } = message;
    if (qos === 0) {
      this.#drop(message)?.resolve();
      return encodePublish(topic, payload, { qos, retain }, this.#deps.level);
    }
    const packetId = this.#packetIds.next();
    const sent = { message, packetId, counter, payload, signedAtMs: nowMs };
    this.#inFlight.set(packetId, sent);
    return encodePublish(topic, payload, { qos, retain, packetId }, this.#deps.level);
  }

  #encodeAgain(sent: InFlight, nowMs: number): Uint8Array {
    const { message, packetId, counter } = sent;
    // Also when the clock was set back: then the old time may lie in the server's future.
    if (Math.abs(nowMs - sent.signedAtMs) > SIGNATURE_AGE_MS_MAX) {
      sent.payload = this.#deps.sign(message.reading, { ctr: counter, ts: nowMs });
      sent.signedAtMs = nowMs;
    }
    const { topic, retain } = message;
    const options = { qos: 1, retain, packetId, dup: true } as const;
    return encodePublish(topic, sent.payload, options, this.#deps.level);
  }

  #drop(message: Outgoing | undefined): Outgoing | undefined {
    this.#bytes -= message?.bytes ?? 0;
    return message;
  }
}
