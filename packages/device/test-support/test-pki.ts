/** A whole PKI in memory, for tests: a root, an issuer, a server and a device. @module */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import {
  TAG,
  derBitString,
  derElement,
  derOid,
  derSequence,
  derSmallInteger,
  derUtf8,
} from '../src/der-writer.ts';

/** A certificate with its key. */
export interface Identity {
  readonly name: string;
  readonly der: Uint8Array;
  readonly pem: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly keyPem: string;
}

/** What a test certificate says. */
export interface CertificateOptions {
  readonly name: string;
  /** Undefined: self-signed. */
  readonly issuer?: Identity | undefined;
  readonly isAuthority?: boolean;
  /** Host names and IPv4 addresses. */
  readonly hosts?: readonly string[];
  readonly purpose?: 'server' | 'client';
  /** Milliseconds since 1970. */
  readonly notAfterMs?: number;
  readonly keys?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
}

export function newKeys(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** Issues a certificate. */
export function issue(options: CertificateOptions): Identity {
  const { privateKey, publicKey } = options.keys ?? newKeys();
  const der = certificateFor(publicKey, {
    ...options,
    signer: options.issuer?.privateKey ?? privateKey,
  });
  return {
    name: options.name,
    der,
    pem: pemOf(der),
    privateKey,
    publicKey,
    keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
}

/** Issues a certificate for a public key whose private key is elsewhere. */
export function certificateFor(
  publicKey: KeyObject,
  options: CertificateOptions & { readonly signer: KeyObject },
): Uint8Array {
  const { name, issuer, signer, notAfterMs = Date.now() + 3_600_000 } = options;
  const algorithm = derSequence(derOid('1.2.840.10045.4.3.2'));
  const tbs = derSequence(
    derElement(0xa0, derSmallInteger(2)),
    derElement(TAG.integer, Uint8Array.of(1), randomBytes(8)),
    algorithm,
    nameOf(issuer?.name ?? name),
    derSequence(utcTime(Math.min(Date.now(), notAfterMs) - 3_600_000), utcTime(notAfterMs)),
    nameOf(name),
    publicKey.export({ format: 'der', type: 'spki' }),
    derElement(0xa3, derSequence(...extensions(options))),
  );
  return derSequence(tbs, algorithm, derBitString(sign('sha256', tbs, signer)));
}

export function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/gu) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

export function anchorPinOf({ der }: Identity): string {
  return createHash('sha256').update(der).digest('base64url');
}

export function pinsOf({ der, publicKey }: Identity): { certificate: string; spki: string } {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return {
    certificate: createHash('sha256').update(der).digest('hex'),
    spki: createHash('sha256').update(spki).digest('base64'),
  };
}

/** A certs-only message, base64 in lines. @see RFC 7030 §4.1.3 */
export function certsOnly(certificates: readonly Uint8Array[]): string {
  const signedData = derSequence(
    derSmallInteger(1),
    derElement(TAG.set),
    derSequence(derOid('1.2.840.113549.1.7.1')),
    derElement(TAG.context0, ...certificates),
    derElement(TAG.set),
  );
  const message = derSequence(derOid('1.2.840.113549.1.7.2'), derElement(TAG.context0, signedData));
  return (
    Buffer.from(message)
      .toString('base64')
      .match(/.{1,76}/gu) ?? []
  ).join('\r\n');
}

/** Root, one issuer, a server named `localhost` and 127.0.0.1. */
export interface TestPki {
  readonly root: Identity;
  readonly issuer: Identity;
  readonly server: Identity;
}

export function testPki(hosts: readonly string[] = ['localhost', '127.0.0.1']): TestPki {
  const root = issue({ name: 'test root', isAuthority: true });
  const issuer = issue({ name: 'test issuer', issuer: root, isAuthority: true });
  const server = issue({ name: 'test server', issuer, hosts, purpose: 'server' });
  return { root, issuer, server };
}

function nameOf(name: string): Uint8Array {
  const commonName = derSequence(derOid('2.5.4.3'), derUtf8(name));
  return derSequence(derElement(TAG.set, commonName));
}

function utcTime(ms: number): Uint8Array {
  const text = new Date(ms)
    .toISOString()
    .replaceAll(/[-:T]|\.\d+/gu, '')
    .slice(2);
  return derElement(0x17, Buffer.from(text, 'ascii'));
}

function extensions({
  isAuthority = false,
  hosts = [],
  purpose,
}: CertificateOptions): Uint8Array[] {
  const found: Uint8Array[] = [];
  const add = (oid: string, value: Uint8Array): void => {
    found.push(derSequence(derOid(oid), derElement(TAG.octetString, value)));
  };
  const yes = derElement(0x01, Uint8Array.of(0xff));
  add('2.5.29.19', isAuthority ? derSequence(yes) : derSequence());
  if (hosts.length > 0) add('2.5.29.17', derSequence(...hosts.map(generalName)));
  if (purpose !== undefined) {
    add('2.5.29.37', derSequence(derOid(`1.3.6.1.5.5.7.3.${purpose === 'server' ? 1 : 2}`)));
  }
  return found;
}

function generalName(host: string): Uint8Array {
  if (isIP(host) === 0) return derElement(0x82, Buffer.from(host, 'ascii'));
  return derElement(0x87, Uint8Array.from(host.split('.').map(Number)));
}
