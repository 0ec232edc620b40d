/** What a connected device does for itself: renews its certificate, and keeps its pins. @module */
import type { Clock, RandomFraction } from './clock.ts';
import { DeviceError } from './device-error.ts';
import type { IdentitySwitch } from './identity-switch.ts';
import {
  PINS_FETCH_MS,
  PINS_FIRST_FETCH_MS,
  RENEWAL_RETRY_FIRST_MS,
  RENEWAL_RETRY_MS_MAX,
} from './limits.ts';
import { updatePins } from './pin-set.ts';
import type { Pin } from './pin.ts';
import { renewalDueMs } from './renewal-time.ts';
import { enrollmentTarget, requestRenewal } from './renewal.ts';
import { Upkeep } from './upkeep.ts';

/** What a device did for itself, or could not do. */
export type UpkeepEvent =
  /** The server has accepted a connection with the new certificate. */
  | { readonly type: 'renewed'; readonly validTo: Date }
  /** Also sent when the certificate was renewed, but the folder cannot be written. */
  | { readonly type: 'renewal-failed'; readonly error: DeviceError; readonly retryInMs: number }
  | { readonly type: 'pins-updated'; readonly pins: readonly Pin[]; readonly version: number }
  | { readonly type: 'pins-failed'; readonly error: DeviceError; readonly retryInMs: number };

/** What the upkeep needs of its device. */
export interface DeviceUpkeepDeps {
  readonly clock: Clock;
  readonly random: RandomFraction;
  readonly identities: IdentitySwitch;
  /** A new identity is there: it has to be shown to the server. */
  readonly onNext: () => void;
  /** Never throws. */
  readonly tell: (event: UpkeepEvent) => void;
}

/** The upkeep of one device. Without the address of the enrollment listener nothing is done. */
export class DeviceUpkeep {
  readonly #deps: DeviceUpkeepDeps;
  readonly #renewal: Upkeep | undefined;
  readonly #pins: Upkeep | undefined;
  #pinsDueMs: number;

  constructor(deps: DeviceUpkeepDeps) {
    this.#deps = deps;
    const { clock, random, identities, tell } = deps;
    this.#pinsDueMs = clock.nowMs() + random() * PINS_FIRST_FETCH_MS;
    if (identities.bundle.enrollment === undefined) return;
    const common = { clock, random, backOff: BACK_OFF };
    this.#renewal = new Upkeep({
      ...common,
      dueMs: () => this.#renewalDueMs(),
      // Even should the clock be wrong by years, renewals do not follow one another at once.
      restMs: () => this.#lifeMs() / 20,
      run: () => this.#renew(),
      onFailure: (error, retryInMs) =>
        tell({ type: 'renewal-failed', error: deviceError(error), retryInMs }),
    });
    this.#pins = new Upkeep({
      ...common,
      dueMs: () => (this.#hasNext ? Number.POSITIVE_INFINITY : this.#pinsDueMs),
      restMs: () => 0,
      run: () => this.#updatePins(),
      onFailure: (error, retryInMs) =>
        tell({ type: 'pins-failed', error: deviceError(error), retryInMs }),
    });
  }

  /** Renews now; resolves when the new certificate is in the bundle. */
  async renewNow(): Promise<void> {
    // Throws what is missing in a bundle that cannot be renewed.
    enrollmentTarget(this.#deps.identities.bundle);
    await this.#renewal?.runNow();
  }

  /** Fetches the pin set now; resolves when it is in use, or was not newer. */
  async updatePins(): Promise<void> {
    enrollmentTarget(this.#deps.identities.bundle);
    await this.#pins?.runNow();
  }

  stop(): void {
    this.#renewal?.stop();
    this.#pins?.stop();
  }

  async #renew(): Promise<void> {
    const { identities, onNext } = this.#deps;
    const next = await requestRenewal(identities.bundle);
    if (identities.bundle.next === next) return;
    identities.update({ next });
    onNext();
  }

  async #updatePins(): Promise<void> {
    const { identities, clock, tell } = this.#deps;
    const { bundle } = identities;
    const nowMs = clock.nowMs();
    const update = await updatePins(bundle, { target: enrollmentTarget(bundle), nowMs });
    this.#pinsDueMs = nowMs + PINS_FETCH_MS;
    if (update.result === 'unchanged') return;
    const { pins, version } = update;
    identities.update({ pins, pinsVersion: version });
    tell({ type: 'pins-updated', pins, version });
  }

  /** One at a time: a renewed certificate has to be accepted before it is renewed. */
  #renewalDueMs(): number {
    const { device, certificate } = this.#deps.identities.bundle;
    return this.#hasNext ? Number.POSITIVE_INFINITY : renewalDueMs(device, certificate);
  }

  /** Which of two identities the server accepts is found out by connections alone. */
  get #hasNext(): boolean {
    return this.#deps.identities.bundle.next !== undefined;
  }

  #lifeMs(): number {
    const { validFromDate, validToDate } = this.#deps.identities.bundle.certificate;
    return validToDate.getTime() - validFromDate.getTime();
  }
}

function deviceError(cause: unknown): DeviceError {
  if (cause instanceof DeviceError) return cause;
  return new DeviceError('E_DEVICE_RENEWAL', {
    message: 'The upkeep of the bundle failed on this machine.',
    fix: 'Check the disk: the folder of the bundle must be writable.',
    cause,
  });
}

const BACK_OFF = {
  firstMs: RENEWAL_RETRY_FIRST_MS,
  capMs: RENEWAL_RETRY_MS_MAX,
  stableMs: Number.POSITIVE_INFINITY,
} as const;
