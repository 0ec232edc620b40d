/**
 * The names that identify things: devices, device classes, tenants, and the URN of a device.
 * They become topic levels, file names and certificate fields, so their characters are few.
 * @module
 */
import { Refusal, refuse } from './refusal.ts';

declare const brand: unique symbol;

/** Id of a device: 1 to 64 of `A-Z a-z 0-9 . _ -`, the first a letter or digit. */
export type DeviceId = string & { readonly [brand]: 'DeviceId' };

/** Id of an owner's app: as {@link DeviceId}. */
export type AppId = string & { readonly [brand]: 'AppId' };

/** Name of a tenant: as {@link DeviceId}, in lower case. */
export type TenantName = string & { readonly [brand]: 'TenantName' };

/** Longest id or name, in characters: several must fit in one topic and in a common name. */
export const ID_CHARACTERS_MAX = 64;

/** Reads the id of a device. @returns the id, or `E_OPERATE_INPUT`. */
export function parseDeviceId(text: string): DeviceId | Refusal {
  if (isId(text)) return text as DeviceId;
  return refuse('E_OPERATE_INPUT', `a device id is ${GRAMMAR}`);
}

/** Reads the id of an app. @returns the id, or `E_OPERATE_INPUT`. */
export function parseAppId(text: string): AppId | Refusal {
  if (isId(text)) return text as AppId;
  return refuse('E_OPERATE_INPUT', `an app id is ${GRAMMAR}`);
}

/** Reads the name of a tenant. @returns the name, or `E_OPERATE_INPUT`. */
export function parseTenantName(text: string): TenantName | Refusal {
  if (isLowerCaseId(text)) return text as TenantName;
  return refuse('E_OPERATE_INPUT', `a tenant name is, in lower case, ${GRAMMAR}`);
}

/** Who a device is, across tenants: what its certificate says. */
export interface DeviceName {
  readonly tenant: TenantName;
  readonly device: DeviceId;
}

/** The URN of a device, as it stands in the subject alternative name of its certificate. */
export function deviceUrn(tenant: TenantName, device: DeviceId): string {
  return `${URN_PREFIX}${tenant}:${device}`;
}

/** The URN of an app. It has one part more than that of a device, so none is the other. */
export function appUrn(tenant: TenantName, app: AppId): string {
  return `${URN_PREFIX}${tenant}:app:${app}`;
}

/**
 * Reads the URN of a device, exactly as {@link deviceUrn} writes it: two spellings of one
 * identity would be two identities to whoever compares them as text.
 *
 * @returns tenant and device, or `E_OPERATE_INPUT`.
 */
export function parseDeviceUrn(text: string): DeviceName | Refusal {
  const [tenantText, deviceText, ...rest] = text.startsWith(URN_PREFIX)
    ? text.slice(URN_PREFIX.length).split(':')
    : [];
  if (tenantText === undefined || deviceText === undefined || rest.length > 0) {
    return refuse('E_OPERATE_INPUT', `a device URN is ${URN_PREFIX}<tenant>:<device>`);
  }
  const tenant = parseTenantName(tenantText);
  if (tenant instanceof Refusal) return tenant;
  const device = parseDeviceId(deviceText);
  if (device instanceof Refusal) return device;
  return { tenant, device };
}

/** Which app a certificate names. */
export interface AppName {
  readonly tenant: TenantName;
  readonly app: AppId;
}

/** Reads the URN of an app, exactly as {@link appUrn} writes it, or refuses `E_OPERATE_INPUT`. */
export function parseAppUrn(text: string): AppName | Refusal {
  const [tenantText, kind, appText, ...rest] = text.startsWith(URN_PREFIX)
    ? text.slice(URN_PREFIX.length).split(':')
    : [];
  if (tenantText === undefined || kind !== 'app' || appText === undefined || rest.length > 0) {
    return refuse('E_OPERATE_INPUT', `an app URN is ${URN_PREFIX}<tenant>:app:<app>`);
  }
  const tenant = parseTenantName(tenantText);
  if (tenant instanceof Refusal) return tenant;
  const app = parseAppId(appText);
  if (app instanceof Refusal) return app;
  return { tenant, app };
}

function isId(text: string): boolean {
  return text.length <= ID_CHARACTERS_MAX && ID.test(text);
}

function isLowerCaseId(text: string): boolean {
  return isId(text) && text === text.toLowerCase();
}

const URN_PREFIX = 'urn:holdfast:';
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/u;
const GRAMMAR = `1 to ${ID_CHARACTERS_MAX} of A-Z a-z 0-9 . _ - and begins with a letter or digit`;
