/** With which certificate a device connects while it has two: the renewed one, or that before. @module */
import type { DeviceBundle } from './bundle.ts';
import type { DeviceErrorCode } from './device-error.ts';
import {
  type DeviceIdentity,
  type FileSteps,
  discardNext,
  fileSteps,
  switchToNext,
} from './identity-files.ts';
import { RENEWED_REFUSALS_MAX } from './limits.ts';

/** What came of a connection that was accepted. */
export type SwitchResult = 'unchanged' | 'switched' | 'discarded';

/** Keeps the bundle and its folder in step with what the server accepts. */
export class IdentitySwitch {
  #bundle: DeviceBundle;
  readonly #files: FileSteps;
  #refusedCount = 0;

  constructor(bundle: DeviceBundle, files: FileSteps = fileSteps) {
    this.#bundle = bundle;
    this.#files = files;
  }

  /** The bundle as it stands now. */
  get bundle(): DeviceBundle {
    return this.#bundle;
  }

  /** A renewal brought a new identity, or an update new pins. */
  update(change: Partial<Pick<DeviceBundle, 'next' | 'pins' | 'pinsVersion'>>): void {
    if (change.next !== undefined) this.#refusedCount = 0;
    this.#bundle = { ...this.#bundle, ...change };
  }

  /**
   * The identity for the next connection: the renewed one. After it was refused several times in
   * a row, the one before for once, unless that has expired: should the server have been set back
   * to a state in which it does not know the renewed one, the device would be lost otherwise.
   */
  choose(nowMs: number): DeviceIdentity {
    const { next, ...bundle } = this.#bundle;
    if (next === undefined) return bundle;
    const isOldUsable = nowMs <= bundle.certificate.validToDate.getTime();
    if (this.#refusedCount < RENEWED_REFUSALS_MAX || !isOldUsable) return next;
    this.#refusedCount = 0;
    return bundle;
  }

  /** The server refused a connection, before it had accepted it. */
  refused(identity: DeviceIdentity, code: DeviceErrorCode): void {
    if (identity === this.#bundle.next && IS_REFUSAL.has(code)) this.#refusedCount += 1;
  }

  /**
   * The server accepted a connection. Its first one with a renewed certificate ends the one before;
   * an accepted one with that before shows that it does not know the renewed one.
   * @throws DeviceError or a system error when the folder cannot be written; then nothing changed
   */
  accepted(identity: DeviceIdentity): SwitchResult {
    const { next, ...bundle } = this.#bundle;
    if (next === undefined) return 'unchanged';
    const { folder, keys } = bundle;
    const place = { folder, keys, files: this.#files };
    this.#refusedCount = 0;
    if (identity === next) {
      switchToNext(place);
      this.#bundle = { ...bundle, ...next };
      return 'switched';
    }
    discardNext(place);
    this.#bundle = bundle;
    return 'discarded';
  }
}

/** What a server that does not know a certificate makes of a connection. */
const IS_REFUSAL: ReadonlySet<DeviceErrorCode> = new Set<DeviceErrorCode>([
  'E_DEVICE_REFUSED',
  'E_DEVICE_CONNECTION',
  'E_DEVICE_CLOCK',
]);
