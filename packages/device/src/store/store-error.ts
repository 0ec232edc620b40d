/** What the store of a device fails of, in words. @module */
import { DeviceError } from '../device-error.ts';

/** The disk, or a file that is damaged. */
export function storeError(what: string, cause?: unknown): DeviceError {
  return new DeviceError('E_DEVICE_STORE', {
    message: `${what}.`,
    fix: 'Check the disk. If only the store is damaged, remove it: what waited in it is lost.',
    cause,
  });
}

/** Only one may take messages out of a store. */
export function storeBusyError(folder: string, cause: unknown): DeviceError {
  return new DeviceError('E_DEVICE_STORE_BUSY', {
    message: `${folder} is in use by another process, or by a device that was not closed.`,
    fix: 'Use a bundle in one process at a time, and close a device before it connects again.',
    cause,
  });
}

/** A store has reached its bounds. */
export function storeFullError(what: string): DeviceError {
  return new DeviceError('E_DEVICE_QUEUE_FULL', {
    message: `${what}.`,
    fix: 'Publish less often, or give the store more room, by the option "buffer" of connect().',
  });
}
