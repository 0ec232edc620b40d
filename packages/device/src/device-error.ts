/** What the device SDK throws and reports: a stable code, what happened, and what to do. @module */

/** Every code of {@link DeviceError}, with what it means. */
export const DEVICE_ERROR_CODES = {
  E_DEVICE_CLAIM_FORM: 'The text given as claim is no claim.',
  E_DEVICE_CLAIM_REFUSED: 'The server does not accept the claim: wrong, used or expired.',
  E_DEVICE_EXISTS: 'The folder for the bundle exists already; it is never overwritten.',
  E_DEVICE_PARTIAL: 'The folder of an unfinished enrollment cannot be used.',
  E_DEVICE_ENROLL: 'The server answered the enrollment with something unexpected.',
  E_DEVICE_ANCHOR: 'The server does not show the trust anchor that the claim names.',
  E_DEVICE_UNREACHABLE: 'The server cannot be reached over the network.',
  E_DEVICE_SERVER: 'The certificate of the server does not verify.',
  E_DEVICE_HOST_NAME: 'The certificate of the server is for another host name.',
  E_DEVICE_CLOCK: 'A certificate is expired or not valid yet, by the clock of this device.',
  E_DEVICE_PIN: 'The certificate of the server verifies, but equals no pin of the bundle.',
  E_DEVICE_BUNDLE: 'The bundle is incomplete or damaged.',
  E_DEVICE_MODE: 'Other users of this machine could read or change a file of the bundle.',
  E_DEVICE_RENEWAL: 'The certificate was not renewed.',
  E_DEVICE_PIN_SET: 'The pin set of the server is not accepted; the pins stay as they are.',
  E_DEVICE_API_KEY: 'Device and server do not agree on the API key.',
  E_DEVICE_TOKEN: 'The PKCS #11 token cannot be used, or not in the way that was asked.',
  E_DEVICE_COUNTER: 'The counter cannot be read or made durable.',
  E_DEVICE_READING: 'The reading or its topic cannot be sent.',
  E_DEVICE_QUEUE_FULL: 'Too many messages wait to be sent.',
  E_DEVICE_REFUSED: 'The server refused the connection.',
  E_DEVICE_CONNECTION: 'The connection ended.',
  E_DEVICE_STORE: 'The store of this device cannot be read or written.',
  E_DEVICE_STORE_BUSY: 'Another process, or another device object, uses the store of this bundle.',
  E_DEVICE_STORE_ROLLBACK: 'The store of this device is an older one, put back.',
  E_DEVICE_FERNET_KEY: 'The text given as Fernet key is none.',
  E_DEVICE_FERNET_TOKEN: 'A Fernet token does not open.',
  E_DEVICE_CLOSED: 'The device object is closed.',
} as const;

/** A stable code of the device SDK. */
export type DeviceErrorCode = keyof typeof DEVICE_ERROR_CODES;

/** A failure with its way out. Neither text ever holds a key or a claim. */
export class DeviceError extends Error {
  readonly code: DeviceErrorCode;
  /** The next step, one sentence. */
  readonly fix: string;

  constructor(
    code: DeviceErrorCode,
    { message, fix, cause }: { message: string; fix: string; cause?: unknown },
  ) {
    super(message, { cause });
    this.name = 'DeviceError';
    this.code = code;
    this.fix = fix;
  }
}

/** The code of a Node or system error (`ENOENT`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
