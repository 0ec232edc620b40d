/** The device bundle: a folder with everything a device needs to speak to its server. @module */
import { type KeyObject, createSecretKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ApiKey } from './api-key.ts';
import { BUNDLE_FILES } from './bundle-files.ts';
import { type BundleSettings, readSettings } from './bundle-settings.ts';
import { readPemCertificates } from './certificate-chain.ts';
import {
  type DeviceKey,
  type DeviceToken,
  type FileKey,
  type KeyStore,
  fileKeys,
} from './device-key.ts';
import { type DeviceIdentity, fileSteps, readIdentities } from './identity-files.ts';
import type { MacKey } from './mac-key.ts';
import { tokenError } from './pkcs11-port.ts';
import { parseKeyUri } from './pkcs11-uri.ts';
import { bundleError, readPrivateFile } from './private-file.ts';

/** A loaded bundle, wherever its keys are. Printing a bundle prints no key. */
export interface DeviceBundle extends BundleSettings, DeviceIdentity {
  /** The folder, where the SDK also keeps its counters. */
  readonly folder: string;
  /** The trust anchor, PEM. */
  readonly anchorPem: string;
  /** A renewed identity that the server has not accepted yet; it is tried first. */
  readonly next?: DeviceIdentity | undefined;
  /** Where private keys are, and new ones are made. */
  readonly keys: KeyStore;
  /** Signs what the device sends. */
  readonly payloadKey: MacKey;
  /** Verifies what is sent to the device. */
  readonly commandKey: KeyObject;
  /** The second factor, when there is one. */
  readonly apiKey?: ApiKey | undefined;
}

/** A bundle whose keys are in its files; here they are handles. */
export interface Bundle extends DeviceBundle, FileKey {
  readonly payloadKey: KeyObject;
}

/** How to load a bundle. */
export interface LoadOptions {
  /** The token that has the keys of this bundle. Without it they are in the files. */
  readonly token?: DeviceToken | undefined;
}

/**
 * Loads a bundle and checks the form of every file. A renewal that was interrupted while the
 * certificates were switched is finished.
 *
 * @param folder - as written by {@link enroll}
 * @throws DeviceError `E_DEVICE_BUNDLE` when a file is missing or damaged, `E_DEVICE_MODE` when
 *   others can read a key or change the trust anchor, `E_DEVICE_TOKEN` when the keys are not in
 *   the token, or in one that was not given
 */
export function loadBundle(folder: string, options?: { readonly token?: undefined }): Bundle;
export function loadBundle(folder: string, options: LoadOptions): DeviceBundle;
export function loadBundle(folder: string, { token }: LoadOptions = {}): DeviceBundle {
  const payloadText = readPrivateFile(join(folder, BUNDLE_FILES.payloadKey), 'secret');
  if (token !== undefined) {
    return { ...loadCommon(folder, token), payloadKey: token.macKey(payloadText) };
  }
  if (parseKeyUri(payloadText.trim()) !== undefined) throw withoutToken(folder);
  const payloadKey = readKeyHex(payloadText);
  if (payloadKey === undefined) throw damaged(folder, BUNDLE_FILES.payloadKey);
  return { ...loadCommon(folder, fileKeys), payloadKey };
}

function loadCommon<K extends DeviceKey>(folder: string, keys: KeyStore<K>) {
  const secret = (name: string): string => readPrivateFile(join(folder, name), 'secret');
  const anchorPem = readPrivateFile(join(folder, BUNDLE_FILES.anchor), 'public');
  const anchors = readPemCertificates(anchorPem) ?? [];
  if (anchors.length === 0) throw damaged(folder, BUNDLE_FILES.anchor);
  const settings = readSettings(secret(BUNDLE_FILES.settings));
  if (settings === undefined) throw damaged(folder, BUNDLE_FILES.settings);
  const { current, next } = readIdentities({ folder, keys, files: fileSteps });
  const commandKey = readKeyHex(secret(BUNDLE_FILES.commandKey));
  if (commandKey === undefined) throw damaged(folder, BUNDLE_FILES.commandKey);
  const apiKey = readApiKey(folder);
  return { folder, ...settings, anchorPem, ...current, next, keys, commandKey, apiKey };
}

/**
 * The pins of a bundle, wherever its keys are.
 * @throws DeviceError `E_DEVICE_BUNDLE`, `E_DEVICE_MODE`
 */
export function readPinsOf(folder: string): Pick<BundleSettings, 'pins' | 'backupPins'> {
  const settings = readSettings(readPrivateFile(join(folder, BUNDLE_FILES.settings), 'secret'));
  if (settings === undefined) throw damaged(folder, BUNDLE_FILES.settings);
  return { pins: settings.pins, backupPins: settings.backupPins };
}

/** Reads 64 hexadecimal digits, with or without a newline, as a key for HMAC-SHA256. */
export function readKeyHex(text: string): KeyObject | undefined {
  if (!KEY_HEX.test(text)) return undefined;
  return createSecretKey(Buffer.from(text.trimEnd(), 'hex'));
}

function readApiKey(folder: string): ApiKey | undefined {
  const path = join(folder, BUNDLE_FILES.apiKey);
  if (!existsSync(path)) return undefined;
  const key = ApiKey.parse(readPrivateFile(path, 'secret'));
  if (key === undefined) throw damaged(folder, BUNDLE_FILES.apiKey);
  return key;
}

function withoutToken(folder: string): Error {
  const fix = 'Name it: "token" in the SDK, --pkcs11-module and --pkcs11-token for holdfast.';
  return tokenError(`The keys of ${folder} are in a token, and none was given`, fix);
}

function damaged(folder: string, name: string): Error {
  return bundleError(`${name} in ${folder} does not have its form`);
}

const KEY_HEX = /^[0-9a-f]{64}\r?\n?$/u;
