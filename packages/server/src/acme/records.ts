/** What is kept, sealed, of the dealings with an ACME authority. @module */
import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { Secret } from '../kernel/index.ts';

export const AcmeAccountSchema = z.object({
  version: z.literal(1),
  /** The authority that the account is with. */
  directoryUrl: z.string(),
  accountUrl: z.string(),
  /** PKCS#8 in DER, in base64. Secret: kept in the sealed store only. */
  key: z.base64(),
});
/** An account with an authority, with its private key. */
export type AcmeAccount = Readonly<z.infer<typeof AcmeAccountSchema>>;

export const AcmeCertificateSchema = z.object({
  version: z.literal(1),
  domain: z.string(),
  /** The certificate and its issuers, PEM. */
  chainPem: z.string(),
  /** PKCS#8 in DER, in base64. Secret: kept in the sealed store only. */
  key: z.base64(),
});
/** A certificate of an authority, with its private key. */
export type AcmeCertificate = Readonly<z.infer<typeof AcmeCertificateSchema>>;

/** The key of a record as PEM. */
export function keyPemOf({ key }: Pick<AcmeAccount, 'key'>): Secret<string> {
  const pkcs8 = Buffer.from(key, 'base64');
  const opened = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  return new Secret(opened.export({ format: 'pem', type: 'pkcs8' }));
}
