/** The certificate of the listeners: kept across restarts, so that pins stay true. @module */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { type Clock, Secret } from '../kernel/index.ts';
import type { Authority } from './authority.ts';
import { certificatePem, spkiOf } from './certificate.ts';
import { type ServerPins, serverPins } from './pins.ts';
import { SERVER_LIFE_MS } from './profiles.ts';

export const ServerCertificateSchema = z.object({
  version: z.literal(1),
  /** DER in base64. */
  certificate: z.base64(),
  /** PKCS#8 in DER, in base64. Secret: kept in the sealed store only. */
  key: z.base64(),
  /** The key that comes after it, in the same form; records from before backup pins have none. */
  nextKey: z.base64().optional(),
  /** The host names and addresses that the certificate was made for. */
  names: z.array(z.string()),
  /** See {@link ServerCertificate}; records from before it have none. */
  pinsVersion: z.int().optional(),
});
/** The server certificate as it is kept, with its private key: never log it, keep it sealed. */
export type ServerCertificateMaterial = Readonly<z.infer<typeof ServerCertificateSchema>>;

/** What the TLS listeners need. */
export interface ServerCertificate {
  /** To be kept when `isNew`. */
  readonly material: ServerCertificateMaterial;
  /** Leaf and servers authority. */
  readonly certChainPem: string;
  /** PKCS#8. */
  readonly keyPem: Secret<string>;
  readonly pins: ServerPins;
  /** Version of the pins: higher than that of each certificate before, whatever the clock does. */
  readonly pinsVersion: number;
  /** True when a certificate was issued or a key was made just now. */
  readonly isNew: boolean;
}

/**
 * Gives the kept certificate, or issues one: when there is none, when the names have changed, when
 * another generation of the authority issues by now, or when less than a third of its life is
 * left. The key stays the same until it is rotated, so that devices which pin it keep their trust.
 * @throws Fault `E_PKI_NAME` for a name that cannot stand in a certificate.
 */
export function ensureServerCertificate(
  saved: ServerCertificateMaterial | undefined,
  { authority, names, clock }: { authority: Authority; names: readonly string[]; clock: Clock },
): ServerCertificate {
  const nextKey = keyFrom(saved?.nextKey) ?? generatePrivateKey('ES256');
  if (saved !== undefined && isGood(saved, { authority, names, nowMs: clock.nowMs() })) {
    const isNew = saved.nextKey === undefined;
    return opened({ ...saved, nextKey: base64(nextKey) }, { authority, isNew });
  }
  return issued({
    authority,
    names,
    key: keyFrom(saved?.key) ?? generatePrivateKey('ES256'),
    nextKey,
    saved,
  });
}

/**
 * Issues a certificate for the key that was kept for it, and makes the one after that. Devices that
 * keep the backup pin trust it already.
 */
export function rotateServerCertificate(
  saved: ServerCertificateMaterial,
  { authority, names }: { authority: Authority; names: readonly string[] },
): ServerCertificate {
  const key = keyFrom(saved.nextKey) ?? generatePrivateKey('ES256');
  return issued({ authority, names, key, nextKey: generatePrivateKey('ES256'), saved });
}

function issued({
  authority,
  names,
  key,
  nextKey,
  saved,
}: {
  authority: Authority;
  names: readonly string[];
  key: Secret<Uint8Array>;
  nextKey: Secret<Uint8Array>;
  saved: ServerCertificateMaterial | undefined;
}): ServerCertificate {
  const { der } = authority.issueServer({ spki: publicOf(key), names });
  const material = {
    version: 1 as const,
    certificate: Buffer.from(der).toString('base64'),
    key: base64(key),
    nextKey: base64(nextKey),
    names: [...names],
    // Two certificates of one second, or of a clock that was set back, are to be told apart.
    pinsVersion: Math.max(sinceS(der), saved === undefined ? 0 : versionOf(saved) + 1),
  } satisfies ServerCertificateMaterial;
  return opened(material, { authority, isNew: true });
}

function isGood(
  { certificate, names: savedNames }: ServerCertificateMaterial,
  { authority, names, nowMs }: { authority: Authority; names: readonly string[]; nowMs: number },
): boolean {
  const kept = new X509Certificate(Buffer.from(certificate, 'base64'));
  const isFresh = kept.validToDate.getTime() - nowMs >= SERVER_LIFE_MS / 3;
  if (!isFresh || !kept.checkIssued(authority.serversCa)) return false;
  return new Set(names).symmetricDifference(new Set(savedNames)).size === 0;
}

function opened(
  material: ServerCertificateMaterial & { readonly nextKey: string },
  { authority, isNew }: { authority: Authority; isNew: boolean },
): ServerCertificate {
  const der = Buffer.from(material.certificate, 'base64');
  return {
    material,
    certChainPem: certificatePem(der) + authority.serversCaPem,
    keyPem: keyPem(keyFrom(material.key)),
    pins: serverPins(der, publicOf(keyFrom(material.nextKey))),
    pinsVersion: versionOf(material),
    isNew,
  };
}

function versionOf({ pinsVersion, certificate }: ServerCertificateMaterial): number {
  return pinsVersion ?? sinceS(Buffer.from(certificate, 'base64'));
}

/** From when on a certificate counts, in seconds since 1970. */
function sinceS(der: Uint8Array): number {
  return Math.floor(new X509Certificate(der).validFromDate.getTime() / 1_000);
}

function keyFrom(text: string): Secret<Uint8Array>;
function keyFrom(text: string | undefined): Secret<Uint8Array> | undefined;
function keyFrom(text: string | undefined): Secret<Uint8Array> | undefined {
  return text === undefined ? undefined : new Secret(Buffer.from(text, 'base64'));
}

function base64(key: Secret<Uint8Array>): string {
  return Buffer.from(key.expose()).toString('base64');
}

function publicOf(pkcs8: Secret<Uint8Array>): Uint8Array {
  return spkiOf(softwareKeyHandle('ES256', pkcs8));
}

function keyPem(pkcs8: Secret<Uint8Array>): Secret<string> {
  const key = createPrivateKey({ key: Buffer.from(pkcs8.expose()), format: 'der', type: 'pkcs8' });
  return new Secret(key.export({ format: 'pem', type: 'pkcs8' }));
}
