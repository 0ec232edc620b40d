/** Decides whether permitted payloads of one device are genuine, fresh and new. @module */
import { type KeyObject, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { Refusal, type SignedJson, parseSignedJson, refuse } from '@holdfast/protocol';
import type { PermittedMessage } from '../authorize/index.ts';
import type { Clock } from '../kernel/index.ts';
import {
  DEVICE_CLASSES,
  type Device,
  type DeviceClass,
  type PayloadKeys,
} from '../registry/index.ts';
import { REPLAY_WINDOW_SIZE, ReplayWindow } from './replay-window.ts';
import { type VerifiedMessage, mintVerified } from './verified-message.ts';

/** What a verifier needs to know of its device. */
export interface DeviceVerifierDeps {
  readonly device: Device;
  readonly keys: PayloadKeys;
  readonly clock: Clock;
  /** Highest counter accepted under these keys before, -1 for none. */
  readonly counterHighest: number;
}

/** The verifier of one device under one generation of payload keys. */
export class DeviceVerifier {
  readonly generation: number;
  readonly #device: Device;
  readonly #class: DeviceClass;
  readonly #kid: string;
  readonly #key: KeyObject;
  readonly #clock: Clock;
  readonly #window: ReplayWindow;

  constructor({ device, keys, clock, counterHighest }: DeviceVerifierDeps) {
    this.generation = device.payloadKeyGeneration;
    this.#device = device;
    this.#class = DEVICE_CLASSES[device.class];
    this.#kid = keys.kid;
    this.#key = createSecretKey(keys.payloadKey.expose());
    this.#clock = clock;
    this.#window = new ReplayWindow(counterHighest);
  }

  /**
   * Verifies payload form 1, signed JSON.
   * The signature comes before time and counter: a forgery must not move the replay window.
   */
  verify(message: PermittedMessage): VerifiedMessage | Refusal {
    const signed = parseSignedJson(message.payload);
    if (signed instanceof Refusal) return signed;
    if (!this.#isGenuine(signed))
      return refuse('E_VERIFY_SIG', `it is not signed with ${this.#kid}`);
    const nowMs = this.#clock.nowMs();
    const stale = this.#checkTime(signed, nowMs);
    if (stale !== undefined) return stale;
    if (!this.#window.accept(signed.counter)) return this.#refuseReplay(signed.counter);
    return mintVerified({
      atMs: nowMs,
      principal: this.#device.id,
      topic: message.topic,
      payload: message.payload,
      retain: message.retain,
      qos: message.qos,
      kid: this.#kid,
      deviceId: this.#device.id,
      contentKeyRef: this.#device.contentKeyRef,
      counterMax: this.#window.highest,
    });
  }

  #isGenuine(signed: SignedJson): boolean {
    if (timingSafeEqual(this.#tagOf(signed.signedBytes), signed.signature)) return true;
    const alternative = signed.numericOrderBytes;
    return alternative !== undefined && timingSafeEqual(this.#tagOf(alternative), signed.signature);
  }

  #tagOf(bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(bytes).digest();
  }

  #checkTime({ timeMs }: SignedJson, nowMs: number): Refusal | undefined {
    if (timeMs === undefined) return undefined;
    const ageMs = nowMs - timeMs;
    const { ageMaxMs, aheadMaxMs } = this.#class;
    if (ageMs > ageMaxMs) {
      return refuse(
        'E_VERIFY_STALE',
        `its time is ${inSeconds(ageMs)} old; at most ${inSeconds(ageMaxMs)}`,
      );
    }
    if (-ageMs > aheadMaxMs) {
      return refuse(
        'E_VERIFY_FUTURE',
        `its time is ${inSeconds(-ageMs)} ahead; at most ${inSeconds(aheadMaxMs)}`,
      );
    }
    return undefined;
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
