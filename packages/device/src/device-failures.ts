/** What a connected device fails of, in words. @module */
import { DeviceError } from './device-error.ts';
import { KEEP_ALIVE_S } from './limits.ts';

/** The keep-alive that a program gave is none. */
export function keepAliveError(): RangeError {
  return new RangeError(`keepAliveS is an integer, ${KEEP_ALIVE_S.min} to ${KEEP_ALIVE_S.max}`);
}

/** The device object was closed by its program. */
export function closedError(): DeviceError {
  return new DeviceError('E_DEVICE_CLOSED', {
    message: 'The device object was closed.',
    fix: 'Connect again, with connect().',
  });
}

/** The same, with a reading that is on the disk: nothing is lost, and it must not be given again. */
export function keptError(): DeviceError {
  return new DeviceError('E_DEVICE_CLOSED', {
    message: 'The device object was closed; the reading is stored, and sent after the next start.',
    fix: 'Connect again, with connect(), and do not publish this reading a second time.',
  });
}

/** `stored` was asked of a device that has no store, or of QoS 0, which is not stored. */
export function noStoreError(): DeviceError {
  return new DeviceError('E_DEVICE_STORE', {
    message: 'The message would not be stored: the device has no buffer, or the message QoS 0.',
    fix: "Connect without `buffer: false`, and publish with QoS 1; or leave out `until: 'stored'`.",
  });
}

/** A PUBACK of MQTT 5 said no. */
export function notTakenError(reasonCode: number): DeviceError {
  return new DeviceError('E_DEVICE_REFUSED', {
    message: `The server does not take the message (0x${reasonCode.toString(16)}).`,
    fix: 'Look at the refusals on the server; they name the reason.',
  });
}

/** A renewed certificate cannot take the place of the one before. */
export function switchError(cause: unknown): DeviceError {
  return new DeviceError('E_DEVICE_RENEWAL', {
    message: 'The new certificate is accepted, but the folder of the bundle cannot be written.',
    fix: 'Check the disk: until then every start begins with the certificate before.',
    cause,
  });
}
