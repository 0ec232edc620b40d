/** What an update fails of, in words. @module */
import { DeviceError, type DeviceErrorCode } from '../device-error.ts';

/** A code of the updater. */
export type UpdateErrorCode = Extract<DeviceErrorCode, `E_DEVICE_UPDATE_${string}`>;

/** @param what - one sentence without its full stop; may name files, hashes and times. */
export function updateError(code: UpdateErrorCode, what: string, cause?: unknown): DeviceError {
  return new DeviceError(code, { message: `${what}.`, fix: FIXES[code], cause });
}

const SERVER = 'Look at the server; if all is well there, somebody is in between.';
const PUBLISH = 'Publish anew on the server; if nobody changed it, find out who did.';

const FIXES: Readonly<Record<UpdateErrorCode, string>> = {
  E_DEVICE_UPDATE_ANSWER: 'Look at the refusals on the server; they name the reason.',
  E_DEVICE_UPDATE_SLOW: 'Check the network. The next attempt goes on where this one stopped.',
  E_DEVICE_UPDATE_TOO_LARGE: SERVER,
  E_DEVICE_UPDATE_METADATA: SERVER,
  E_DEVICE_UPDATE_SIGNATURE: PUBLISH,
  E_DEVICE_UPDATE_EXPIRED: 'See "holdfast fw status". If the server is right, set the clock.',
  E_DEVICE_UPDATE_ROLLBACK: 'If the server was set back, publish every role with a higher version.',
  E_DEVICE_UPDATE_MIXED: SERVER,
  E_DEVICE_UPDATE_FOREIGN: PUBLISH,
  E_DEVICE_UPDATE_DISAGREE:
    'Assign a published release; if nobody assigned this one, find out who.',
  E_DEVICE_UPDATE_HARDWARE: 'Assign a release that names the hardware id of this device.',
  E_DEVICE_UPDATE_COUNTER: 'Release the older version again, with a counter that is not lower.',
  E_DEVICE_UPDATE_CLOCK: 'Set the clock of this device; updates go on by themselves then.',
  E_DEVICE_UPDATE_IMAGE: 'Compare the artifact on the server with the one that was released.',
  E_DEVICE_UPDATE_STORE: 'Check the disk of the device.',
};
