/**
 * The Holdfast device SDK, for Node.js 22.18 and later.
 *
 * - {@link enroll} turns a claim into a device bundle, once.
 * - {@link connect} connects with the bundle: mutual TLS 1.3, the server pinned, readings signed,
 *   commands verified, reconnecting by itself.
 *
 * @example
 * import { connect, enroll } from '@holdfast/device';
 *
 * // Once, with the claim that `holdfast device add thermostat-1` printed:
 * await enroll({ claim: process.env.HOLDFAST_CLAIM ?? '', out: './thermostat-1' });
 *
 * const device = connect({ bundle: './thermostat-1' });
 * device.onCommand(({ name, body }) => console.log(name, body));
 * await device.publish({ temp: 23.5 }); // Resolves when the server has made it durable.
 * await device.close();
 * @module
 */
export { type EnrollOptions, enroll } from './enroll.ts';
export { type Bundle, loadBundle } from './bundle.ts';
export type { Pin } from './pin.ts';
export { type ConnectOptions, type PublishOptions, connect } from './device.ts';
export type { Device, DeviceStatus } from './device.ts';
export type { Command } from './command.ts';
export type { CommandHandler, RefusedCommand } from './command-queue.ts';
export { type SigningOptions, type UnsignedMessage, signProperties } from './signed-properties.ts';
export type { Clock, RandomFraction } from './clock.ts';
export { DEVICE_ERROR_CODES, DeviceError, type DeviceErrorCode } from './device-error.ts';
