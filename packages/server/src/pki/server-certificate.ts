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
  /** The host names and addresses that the certificate was made for. */
  names: z.array(z.string()),
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
  /** True when a certificate was issued just now: the certificate pin is new, the key's is not. */
  readonly isNew: boolean;
}

/**
 * Gives the kept certificate, or issues one: when there is none, when the names have changed, or
 * when less than a third of its life is left. The key stays the same for ever, so that devices
 * which pin it keep their trust.
 * @throws Fault `E_PKI_NAME` for a name that cannot stand in a certificate.
 */
export function ensureServerCertificate(
  saved: ServerCertificateMaterial | undefined,
  { authority, names, clock }: { authority: Authority; names: readonly string[]; clock: Clock },
): ServerCertificate {
  if (saved !== undefined && isGood(saved, { names, nowMs: clock.nowMs() })) {
    return opened(saved, { authority, isNew: false });
  }
  const pkcs8 = saved === undefined ? generatePrivateKey('ES256') : keyOf(saved);
  const spki = spkiOf(softwareKeyHandle('ES256', pkcs8));
  const { der } = authority.issueServer({ spki, names });
  const material: ServerCertificateMaterial = {
    version: 1,
    certificate: Buffer.from(der).toString('base64'),
    key: Buffer.from(pkcs8.expose()).toString('base64'),
    names: [...names],
  };
  return opened(material, { authority, isNew: true });
}

function isGood(
  { certificate, names: savedNames }: ServerCertificateMaterial,
  { names, nowMs }: { names: readonly string[]; nowMs: number },
): boolean {
  const { validToDate } = new X509Certificate(Buffer.from(certificate, 'base64'));
  const isFresh = validToDate.getTime() - nowMs >= SERVER_LIFE_MS / 3;
  return isFresh && new Set(names).symmetricDifference(new Set(savedNames)).size === 0;
}

function opened(
  material: ServerCertificateMaterial,
  { authority, isNew }: { authority: Authority; isNew: boolean },
): ServerCertificate {
  const der = Buffer.from(material.certificate, 'base64');
  return {
    material,
    certChainPem: certificatePem(der) + authority.serversCaPem,
    keyPem: keyPem(keyOf(material)),
    pins: serverPins(der),
    isNew,
  };
}

function keyOf({ key }: ServerCertificateMaterial): Secret<Uint8Array> {
  return new Secret(Buffer.from(key, 'base64'));
}

function keyPem(pkcs8: Secret<Uint8Array>): Secret<string> {
  const key = createPrivateKey({ key: Buffer.from(pkcs8.expose()), format: 'der', type: 'pkcs8' });
  return new Secret(key.export({ format: 'pem', type: 'pkcs8' }));
}
