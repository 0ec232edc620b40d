/** Names of the files of a bundle. @module */

export const BUNDLE_FILES = {
  anchor: 'ca.crt',
  certificate: 'client.crt',
  key: 'client.key',
  /** Only during a renewal. */
  nextCertificate: 'client.crt.next',
  nextKey: 'client.key.next',
  payloadKey: 'payload.key',
  commandKey: 'command.key',
  settings: 'holdfast.json',
  pin: 'server.pin',
  /** Only where the device has a second factor. */
  apiKey: 'api.key',
  /** Kept by the SDK: counters up to here are taken. */
  counter: 'counter',
  /** Kept by the SDK: a folder with messages that wait, and settings. */
  store: 'store',
  /** Kept by the SDK: counters of commands that were accepted. */
  commandsSeen: 'commands.seen',
} as const;
