/**
 * The identity of a device on its disk: the one in use, and during a renewal the next one. Every
 * step is one durable write or rename, and after each of them the folder can be used.
 *
 * 1. `client.key.next` is written, then the certificate is asked for with this key.
 * 2. `client.crt.next` is written: both identities are there, and the next one is tried.
 * 3. The server accepted it: `client.key.next` becomes `client.key`, then `client.crt.next`
 *    becomes `client.crt`. {@link readIdentities} finishes what was interrupted in between.
 * @module
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BUNDLE_FILES } from './bundle-files.ts';
import { DeviceError } from './device-error.ts';
import type { DeviceKey, KeyStore } from './device-key.ts';
import { bundleError, readPrivateFile, syncFolder, writePrivateFile } from './private-file.ts';

/** A certificate without its key. */
export interface CertificatePart {
  /** The certificate and its issuers without the trust anchor, PEM. */
  readonly certificatePem: string;
  readonly certificate: X509Certificate;
}

/** A certificate with its key. */
export interface DeviceIdentity extends CertificatePart, DeviceKey {}

/** The identities of a bundle. */
export interface Identities<K extends DeviceKey> {
  readonly current: CertificatePart & K;
  /** Renewed, and not accepted by the server yet. */
  readonly next: DeviceIdentity | undefined;
}

/** What changes the folder; tests let it fail in the middle. */
export interface FileSteps {
  readonly write: (path: string, text: string) => void;
  readonly rename: (from: string, to: string) => void;
  readonly remove: (path: string) => void;
}

/** The real ones, each durable when it returns. */
export const fileSteps: FileSteps = {
  write: writePrivateFile,
  rename: (from, to) => {
    renameSync(from, to);
    syncFolder(dirname(to));
  },
  remove: (path) => {
    rmSync(path, { force: true });
    syncFolder(dirname(path));
  },
};

/** Where identities are kept. */
export interface IdentityPlace<K extends DeviceKey = DeviceKey> {
  readonly folder: string;
  readonly keys: KeyStore<K>;
  readonly files: FileSteps;
}

/**
 * Reads both identities, and finishes a switch that lost its power in the middle.
 * @throws DeviceError `E_DEVICE_BUNDLE`, `E_DEVICE_MODE`
 */
export function readIdentities<K extends DeviceKey>(place: IdentityPlace<K>): Identities<K> {
  const { folder, files } = place;
  const paths = pathsOf(folder);
  const key = openKey(place, BUNDLE_FILES.key);
  const nextCertificate = orUndefined(() => readCertificate(folder, BUNDLE_FILES.nextCertificate));
  if (!existsSync(paths.nextKey)) {
    const isHalf = nextCertificate !== undefined && belongs(nextCertificate, key);
    if (isHalf) files.rename(paths.nextCertificate, paths.certificate);
    return { current: identityOf(folder, key), next: undefined };
  }
  const current = identityOf(folder, key);
  if (nextCertificate === undefined) return { current, next: undefined };
  const nextKey = orUndefined(() => openKey(place, BUNDLE_FILES.nextKey));
  const isWhole = nextKey !== undefined && belongs(nextCertificate, nextKey);
  return { current, next: isWhole ? { ...nextCertificate, ...nextKey } : undefined };
}

/** The key for the next certificate: that of an interrupted renewal, or a new one, written down. */
export function nextKey(place: IdentityPlace): DeviceKey {
  const { folder, keys, files } = place;
  const path = join(folder, BUNDLE_FILES.nextKey);
  const found = orUndefined(() => keys.make(readPrivateFile(path, 'secret')));
  if (found !== undefined) return found;
  const text = keys.plan();
  files.write(path, text);
  return keys.make(text);
}

/** Keeps the certificate for {@link nextKey}. From now on both identities may be used. */
export function storeNext(place: IdentityPlace, key: DeviceKey, chainPem: string): DeviceIdentity {
  place.files.write(join(place.folder, BUNDLE_FILES.nextCertificate), chainPem);
  return { ...certificateOf(chainPem), ...key };
}

/** Makes the next identity the only one: the server has accepted it. */
export function switchToNext({ folder, keys, files }: IdentityPlace): void {
  const paths = pathsOf(folder);
  const old = readPrivateFile(paths.key, 'secret');
  files.rename(paths.nextKey, paths.key);
  files.rename(paths.nextCertificate, paths.certificate);
  keys.remove(old);
}

/** Gives up the next identity. */
export function discardNext({ folder, keys, files }: IdentityPlace): void {
  const paths = pathsOf(folder);
  const text = orUndefined(() => readPrivateFile(paths.nextKey, 'secret'));
  // The certificate first: alone, it would look like the second half of a switch.
  files.remove(paths.nextCertificate);
  files.remove(paths.nextKey);
  if (text !== undefined) keys.remove(text);
}

function identityOf<K extends DeviceKey>(folder: string, key: K): CertificatePart & K {
  const certificate = readCertificate(folder, BUNDLE_FILES.certificate);
  if (belongs(certificate, key)) return { ...certificate, ...key };
  throw bundleError(`${BUNDLE_FILES.key} in ${folder} is not the key of the certificate`);
}

function belongs({ certificate }: CertificatePart, { signer }: DeviceKey): boolean {
  return certificate.publicKey.equals(signer.publicKey);
}

function readCertificate(folder: string, name: string): CertificatePart {
  const pem = readPrivateFile(join(folder, name), 'public');
  return parsed(folder, name, () => certificateOf(pem));
}

function certificateOf(certificatePem: string): CertificatePart {
  return { certificatePem, certificate: new X509Certificate(certificatePem) };
}

function openKey<K extends DeviceKey>({ folder, keys }: IdentityPlace<K>, name: string): K {
  const text = readPrivateFile(join(folder, name), 'secret');
  return parsed(folder, name, () => keys.open(text));
}

function parsed<T>(folder: string, name: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof DeviceError) throw cause;
    // The cause is left out: OpenSSL's words may quote what stands in a key file.
    throw bundleError(`${name} in ${folder} does not have its form`);
  }
}

/** What is missing or damaged of a next identity is asked for again. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function pathsOf(folder: string) {
  return {
    key: join(folder, BUNDLE_FILES.key),
    certificate: join(folder, BUNDLE_FILES.certificate),
    nextKey: join(folder, BUNDLE_FILES.nextKey),
    nextCertificate: join(folder, BUNDLE_FILES.nextCertificate),
  };
}
