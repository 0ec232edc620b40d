/** The signed pin set: how a server tells its devices which keys it will have. @module */
import { type X509Certificate, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { prepareSignedJson } from '@holdfast/protocol';
import { BUNDLE_FILES } from './bundle-files.ts';
import { formatSettings, isVersion } from './bundle-settings.ts';
import type { DeviceBundle } from './bundle.ts';
import { DeviceError } from './device-error.ts';
import { describeAnswer } from './est.ts';
import { type CallTarget, callPinned } from './https-call.ts';
import { type FileSteps, fileSteps } from './identity-files.ts';
import { PINS_AHEAD_MS_MAX } from './limits.ts';
import { hmacSha256Hex } from './mac-key.ts';
import { type Pin, isPinned, pinLines, readPins } from './pin.ts';

/** Where the pin set is, on the enrollment listener. */
export const PIN_SET_PATH = '/.well-known/holdfast/pins';

/** A pin set whose signature verified. */
export interface PinSet {
  readonly version: number;
  readonly pins: readonly Pin[];
  /** From when on it counts, in milliseconds since 1970. */
  readonly notBeforeMs: number;
}

/** What came of a fetch. */
export type PinUpdate =
  | { readonly result: 'updated'; readonly pins: readonly Pin[]; readonly version: number }
  /** The set is not newer than the one in use, or does not count yet. */
  | { readonly result: 'unchanged' };

/**
 * Fetches the pin set with the identity of the bundle and keeps it in the folder when it is
 * signed with the command key of this device, newer than the one in use, and names the very server
 * that gave it: a set that would lock this device out is refused.
 *
 * @throws DeviceError `E_DEVICE_PIN_SET`, or what the connection failed of
 */
export async function updatePins(
  bundle: DeviceBundle,
  { target, nowMs, files = fileSteps }: PinUpdateDeps,
): Promise<PinUpdate> {
  const answer = await callPinned(target, { path: PIN_SET_PATH });
  if (answer.status !== 200) throw pinSetError(`the answer is ${describeAnswer(answer)}`);
  const set = readPinSet(answer.body, bundle);
  const { version, pins, notBeforeMs } = set;
  if (version <= bundle.pinsVersion) return { result: 'unchanged' };
  if (notBeforeMs > nowMs + PINS_AHEAD_MS_MAX) return { result: 'unchanged' };
  requireOwn(answer.serverCertificate, set);
  const settings = formatSettings({ ...bundle, pins, pinsVersion: version });
  files.write(join(bundle.folder, BUNDLE_FILES.settings), settings);
  // For people and for curl only; the SDK reads the settings.
  files.write(join(bundle.folder, BUNDLE_FILES.pin), pins.map(pinLines).join(''));
  return { result: 'updated', pins, version };
}

/** What an update needs beside the bundle. */
export interface PinUpdateDeps {
  readonly target: CallTarget;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly files?: FileSteps;
}

/**
 * Reads a pin set: `{"version", "pins", "notBefore", "sig"}` in the form of signed JSON.
 * @throws DeviceError `E_DEVICE_PIN_SET`
 */
export function readPinSet(text: string, { commandKey }: Pick<DeviceBundle, 'commandKey'>): PinSet {
  const { sig, ...members } = membersOf(text);
  const expected = Buffer.from(hmacSha256Hex(commandKey, signedBytesOf(members)), 'ascii');
  const given = Buffer.from(typeof sig === 'string' ? sig : '', 'utf8');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw pinSetError('it is not signed with the command key of this device');
  }
  // Commands are signed with the same key, and their members are the sender's choice.
  if (Object.keys(members).some((name) => !MEMBERS.has(name))) {
    throw pinSetError('it is signed, but as something else');
  }
  const pins = readPins(members['pins']);
  const { version, notBefore } = members;
  if (pins === undefined || !isVersion(version) || !isVersion(notBefore)) {
    throw pinSetError('it does not have its form');
  }
  return { version, pins, notBeforeMs: notBefore };
}

function requireOwn(certificate: X509Certificate, { pins }: PinSet): void {
  if (isPinned(certificate, pins)) return;
  throw pinSetError('it does not name the key of the server that gave it');
}

function membersOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw pinSetError('it is no JSON object');
  }
  return { ...value };
}

/** The bytes are made of what was read, so what is used later is what was signed. */
function signedBytesOf(members: Record<string, unknown>): Uint8Array {
  try {
    return prepareSignedJson(members).signedBytes;
  } catch (cause) {
    throw pinSetError('it cannot be signed JSON', cause);
  }
}

function pinSetError(what: string, cause?: unknown): DeviceError {
  return new DeviceError('E_DEVICE_PIN_SET', {
    message: `The pin set of the server is not accepted: ${what}.`,
    fix: 'Use a device SDK and a server of the same version; else look at its refusals.',
    cause,
  });
}

const MEMBERS: ReadonlySet<string> = new Set(['version', 'pins', 'notBefore', 'ctr', 'ts']);
