/** Decides whether permitted payloads of one device are genuine, fresh and new. @module */
import {
  Refusal,
  SIGNED_JSON_LIMITS,
  isSignedByProperties,
  parseSignedJson,
  parseSignedProperties,
  refuse,
  signedHeader,
} from '@holdfast/protocol';
import { encodeForwarded } from '@holdfast/protocol/mqtt';
import type { PermittedMessage } from '../authorize/index.ts';
import type { Clock } from '../kernel/index.ts';
import {
  DEVICE_CLASSES,
  type Device,
  type DeviceClass,
  type PayloadKeys,
} from '../registry/index.ts';
import { HmacSha256 } from './hmac-sha256.ts';
import { type KnownCounters, REPLAY_WINDOW_SIZE, ReplayWindow } from './replay-window.ts';
import { type VerifiedMessage, mintVerified } from './verified-message.ts';

/** What a verifier needs to know of its device. */
export interface DeviceVerifierDeps {
  readonly device: Device;
  readonly keys: PayloadKeys;
  readonly clock: Clock;
  /** Counters accepted under these keys before. */
  readonly counters: KnownCounters;
  /** How old a message may be that was held back, in milliseconds. Default: as its class comes. */
  readonly lateMaxMs?: () => number;
}

/** What a genuine message says of its place among the others. */
interface Stamp {
  readonly counter: number;
  readonly timeMs: number | undefined;
}

/** The verifier of one device under one generation of payload keys. */
export class DeviceVerifier {
  readonly generation: number;
  readonly #device: Device;
  readonly #class: DeviceClass;
  readonly #kid: string;
  readonly #hmac: HmacSha256;
  readonly #clock: Clock;
  readonly #lateMaxMs: () => number;
  readonly #window: ReplayWindow;
  #contentKeyRef: number;
  /** The signature of form 2 in bytes, one at a time. */
  readonly #signature = Buffer.alloc(32);

  constructor({ device, keys, clock, counters, lateMaxMs }: DeviceVerifierDeps) {
    this.generation = device.payloadKeyGeneration;
    this.#device = device;
    this.#class = DEVICE_CLASSES[device.class];
    this.#kid = keys.kid;
    this.#hmac = new HmacSha256(keys.payloadKey.expose());
    this.#clock = clock;
    this.#lateMaxMs = lateMaxMs ?? (() => this.#class.lateMaxMs);
    this.#window = new ReplayWindow(counters);
    this.#contentKeyRef = device.contentKeyRef;
  }

  /** The highest counter that was accepted, -1 for none. */
  get highestCounter(): number {
    return this.#window.highest;
  }

  /** What it verifies from now on is sealed with another data key. */
  useContentKey(ref: number): void {
    this.#contentKeyRef = ref;
  }

  /**
   * Verifies a message: form 2 when its user properties carry "sig", form 1, signed JSON,
   * otherwise. Both forms share one replay window, so that no counter counts twice.
   * Form 1 covers the payload only; topic, retain flag and properties of such a message are
   * vouched for by the connection it came on, as those of any other.
   * The signature comes before time and counter: a forgery must not move the replay window.
   * A message may be late: it is the counter that makes it count once, as one that the window does
   * not know is refused, however young the message. The time only bounds for how long.
   */
  verify(message: PermittedMessage): VerifiedMessage | Refusal {
    const stamp = this.#readStamp(message);
    if (stamp instanceof Refusal) return stamp;
    const nowMs = this.#clock.nowMs();
    const time = this.#judgeTime(stamp, nowMs);
    if (time instanceof Refusal) return time;
    if (!this.#window.accept(stamp.counter)) return this.#refuseReplay(stamp.counter);
    return this.#mint(message, { atMs: nowMs, isLate: time === 'late' });
  }

  /**
   * Verifies a will: that it is genuine. A client leaves the same one each time it connects, so its
   * counter and its time say nothing; what makes it fresh is the connection that it is left on.
   */
  verifyWill(message: PermittedMessage): VerifiedMessage | Refusal {
    const stamp = this.#readStamp(message);
    return stamp instanceof Refusal ? stamp : this.#mint(message, { atMs: this.#clock.nowMs() });
  }

  /** The same message with the time of now: for a will, when its device is gone. */
  restamp(message: VerifiedMessage): VerifiedMessage {
    if (message.principal !== this.#device.id || message.kid !== this.#kid) {
      throw new Error('a message is restamped by the verifier that verified it');
    }
    // The counter of then would take the window back: it starts again from the last one stored.
    const counterMax = this.#window.highest;
    const { principal, topic, body, retain, qos, expiryS, properties, kid, deviceId } = message;
    const contentKeyRef = this.#contentKeyRef;
    const same = { principal, topic, body, retain, qos, expiryS, properties, kid, deviceId };
    return mintVerified({ ...same, contentKeyRef }, { atMs: this.#clock.nowMs(), counterMax });
  }

  #readStamp(message: PermittedMessage): Stamp | Refusal {
    return isSignedByProperties(message.properties)
      ? this.#readForm2(message)
      : this.#readForm1(message.payload);
  }

  #mint(
    message: PermittedMessage,
    { atMs, isLate = false }: { atMs: number; isLate?: boolean },
  ): VerifiedMessage {
    const content = {
      principal: this.#device.id,
      topic: message.topic,
      body: message.payload,
      retain: message.retain,
      qos: message.qos,
      expiryS: message.properties.messageExpiryS,
      properties: encodeForwarded(message.properties),
      kid: this.#kid,
      deviceId: this.#device.id,
      contentKeyRef: this.#contentKeyRef,
    };
    return mintVerified(content, { atMs, counterMax: this.#window.highest, isLate });
  }

  #readForm1(payload: Uint8Array): Stamp | Refusal {
    const signed = parseSignedJson(payload);
    if (signed instanceof Refusal) return signed;
    const { signature, signedBytes, numericOrderBytes } = signed;
    if (this.#hmac.isTagOf({ bytes: signedBytes }, signature)) return signed;
    const isGenuine =
      numericOrderBytes !== undefined &&
      this.#hmac.isTagOf({ bytes: numericOrderBytes }, signature);
    return isGenuine ? signed : this.#refuseSignature();
  }

  #readForm2(message: PermittedMessage): Stamp | Refusal {
    const { bytesMax } = SIGNED_JSON_LIMITS;
    if (message.payload.length > bytesMax) {
      return refuse('E_VERIFY_SIZE', `${message.payload.length} bytes; at most ${bytesMax}.`);
    }
    const signed = parseSignedProperties(message.properties);
    if (signed instanceof Refusal) return signed;
    if (signed.kid !== this.#kid) return refuse('E_VERIFY_KID', `the key id is not ${this.#kid}`);
    this.#signature.write(signed.signature, 'hex');
    const covered = { text: signedHeader(message, signed), bytes: message.payload };
    return this.#hmac.isTagOf(covered, this.#signature) ? signed : this.#refuseSignature();
  }

  #refuseSignature(): Refusal {
    return refuse('E_VERIFY_SIG', `it is not signed with payload key ${this.#kid}`);
  }

  #judgeTime({ timeMs }: Stamp, nowMs: number): 'fresh' | 'late' | Refusal {
    if (timeMs === undefined) return 'fresh';
    const ageMs = nowMs - timeMs;
    const { ageMaxMs, aheadMaxMs } = this.#class;
    if (ageMs > ageMaxMs) {
      const lateMaxMs = Math.max(ageMaxMs, this.#lateMaxMs());
      if (ageMs <= lateMaxMs) return 'late';
      return refuse(
        'E_VERIFY_STALE',
        `its time is ${inSeconds(ageMs)} old; at most ${inSeconds(lateMaxMs)}`,
      );
    }
    if (-ageMs > aheadMaxMs) {
      return refuse(
        'E_VERIFY_FUTURE',
        `its time is ${inSeconds(-ageMs)} ahead; at most ${inSeconds(aheadMaxMs)}`,
      );
    }
    return 'fresh';
  }

  #refuseReplay(counter: number): Refusal {
    const { highest } = this.#window;
    const isOld = highest - counter >= REPLAY_WINDOW_SIZE;
    const why = isOld ? 'is older than the replay window' : 'was accepted before';
    return refuse('E_VERIFY_REPLAY', `counter ${counter} ${why}; the highest so far is ${highest}`);
  }
}

function inSeconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
