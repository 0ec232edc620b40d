/**
 * The Holdfast device SDK, for Node.js 22.18 and later.
 *
 * - {@link enroll} turns a claim into a device bundle, once.
 * - {@link connect} connects with the bundle: mutual TLS 1.3, the server pinned, readings signed,
 *   commands verified; it reconnects, renews its certificate and keeps its pins by itself. Readings
 *   wait on the disk, sealed, until the server has them.
 * - {@link SecureStore} keeps settings, sealed; {@link Fernet} is for those that come from Python.
 * - {@link openToken} opens a PKCS #11 token for keys that cannot be exported.
 *
 * @example
 * import { connect, enroll } from '@holdfast/device';
 *
 * // Once, with the claim that `holdfast device add thermostat-1` printed:
 * await enroll({ claim: readFileSync('claim.txt', 'utf8'), out: './thermostat-1' });
 *
 * const device = connect({ bundle: './thermostat-1' });
 * device.onCommand(({ name, body }) => console.log(name, body));
 * await device.publish({ temp: 23.5 }); // Resolves when the server has made it durable.
 * await device.close();
 * @module
 */
export { type EnrollOptions, enroll } from './enroll.ts';
export {
  type Bundle,
  type DeviceBundle,
  type LoadOptions,
  loadBundle,
  readPinsOf,
} from './bundle.ts';
export type { BundleSettings } from './bundle-settings.ts';
export type { ApiKey } from './api-key.ts';
export type { Pin } from './pin.ts';
export { type Device, connect } from './device.ts';
export type {
  BufferOptions,
  ConnectOptions,
  DeviceStatus,
  PublishOptions,
} from './device-options.ts';
export type { StoreFigures } from './store/message-store.ts';
export { StoreKey } from './store/store-key.ts';
export {
  type JsonValue,
  type MonotonicCounter,
  SecureStore,
  type SecureStoreOptions,
} from './store/secure-store.ts';
export { Fernet } from './fernet.ts';
export { type CallServer, type TpmSettings, proveBoot } from './boot-proof/index.ts';
export type { UpkeepEvent } from './device-upkeep.ts';
export { type RenewOptions, renew } from './renewal.ts';
export { type DeviceSigner, keySigner } from './signer.ts';
export type { DeviceKey, DeviceToken, FileKey, KeyStore, TlsKey } from './device-key.ts';
export type { CertificatePart, DeviceIdentity } from './identity-files.ts';
export { type MacKey, type TokenMacKey, hmacSha256Hex } from './mac-key.ts';
export { type Token, type TokenOptions, openToken } from './token.ts';
export {
  type TokenSigner,
  type TokenSignerOptions,
  makeTokenSigner,
  openTokenSigner,
} from './token-signer.ts';
export {
  FirmwareUpdater,
  type DownloadOptions,
  type FirmwareUpdaterOptions,
  type VerifiedUpdate,
  type WritableFile,
} from './update/updater.ts';
export type { FetchAnswer, FetchPort, FetchRequest } from './update/fetch-port.ts';
export { PinnedFetch } from './update/pinned-fetch.ts';
export { openWritableFile } from './update/writable-file.ts';
export type { Command } from './command.ts';
export type { CommandHandler, RefusedCommand } from './command-queue.ts';
export { type SigningOptions, type UnsignedMessage, signProperties } from './signed-properties.ts';
export type { Clock, RandomFraction } from './clock.ts';
export { type AgentSettings, loadAgentSettings } from './agent/agent-settings.ts';
export type { LocalCheck } from './agent/local-check.ts';
export { type OpenAgentOptions, type OpenedAgent, openAgent } from './agent/open-agent.ts';
export type { UpdateAgent } from './agent/update-agent.ts';
export { DEVICE_ERROR_CODES, DeviceError, type DeviceErrorCode } from './device-error.ts';
