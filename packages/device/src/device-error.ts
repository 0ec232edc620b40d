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
  E_DEVICE_UPDATE_ANSWER: 'The server does not give a file of the update.',
  E_DEVICE_UPDATE_SLOW: 'The server sends a file of the update too slowly.',
  E_DEVICE_UPDATE_TOO_LARGE: 'The server sends more than a file of the update may have.',
  E_DEVICE_UPDATE_METADATA: 'Update metadata do not have their form.',
  E_DEVICE_UPDATE_SIGNATURE: 'Update metadata are not signed by enough of the right keys.',
  E_DEVICE_UPDATE_EXPIRED: 'Update metadata are expired: the server gives no new ones.',
  E_DEVICE_UPDATE_ROLLBACK: 'Update metadata are older than those that this device has seen.',
  E_DEVICE_UPDATE_MIXED: 'Update metadata do not belong together.',
  E_DEVICE_UPDATE_FOREIGN: 'Update metadata are for another repository or another device.',
  E_DEVICE_UPDATE_DISAGREE: 'The image repository does not name what the director names.',
  E_DEVICE_UPDATE_HARDWARE: 'The release is for other hardware.',
  E_DEVICE_UPDATE_COUNTER: 'The security counter of the release is lower than that of this device.',
  E_DEVICE_UPDATE_CLOCK: 'The clock of this device is wrong, so nothing can be said to be fresh.',
  E_DEVICE_UPDATE_IMAGE: 'What was downloaded is not what the release says.',
  E_DEVICE_UPDATE_STORE: 'The updater cannot read or write its files.',
  E_DEVICE_TPM: 'The TPM of this device cannot be used.',
  E_DEVICE_BOOT: 'The server does not take the proof of how this device booted.',
  E_DEVICE_SLOTS: 'A slot, or what the boot loader goes by, cannot be read or changed.',
  E_DEVICE_AGENT_SETTINGS: 'The configuration file of the agent cannot be used.',
  E_DEVICE_AGENT_BUSY: 'Another agent has the state folder of this one.',
  E_DEVICE_AGENT_USAGE: 'holdfast-agent was called with something that it does not know.',
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
