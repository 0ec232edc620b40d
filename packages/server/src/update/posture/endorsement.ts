/** Whose TPM it is: the endorsement key, and who vouches for it. @module */
import { type KeyObject, X509Certificate, createHash, createPublicKey } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';

/** The endorsement key of a TPM. */
export interface Endorsement {
  readonly key: KeyObject;
  /** SHA-256 of its SPKI, in hexadecimal. */
  readonly sha256: string;
  /** The manufacturer whose authority has certified it. */
  readonly manufacturer?: string | undefined;
}

/** A manufacturer of TPMs, or of devices, with its authorities. */
export interface TpmManufacturer {
  readonly name: string;
  readonly certificates: readonly X509Certificate[];
}

/**
 * Reads an endorsement key, and looks who has certified it.
 * @param shown - `spki`: its SPKI in DER; `certificates` in DER, that of the key first, each signed
 *   by the next.
 * @returns Refuses `E_UPDATE_TPM` for what cannot be read, or belongs to another key.
 */
export function readEndorsement(
  shown: { readonly spki: Uint8Array; readonly certificates: readonly Uint8Array[] },
  known: { readonly manufacturers: readonly TpmManufacturer[]; readonly nowMs: number },
): Endorsement | Refusal {
  let key: KeyObject;
  let chain: X509Certificate[];
  try {
    key = createPublicKey({ key: Buffer.from(shown.spki), format: 'der', type: 'spki' });
    chain = shown.certificates.map((der) => new X509Certificate(der));
  } catch {
    return refuse('E_UPDATE_TPM', 'its endorsement key, or a certificate of it, cannot be read');
  }
  const spki = key.export({ format: 'der', type: 'spki' });
  const sha256 = createHash('sha256').update(spki).digest('hex');
  const [leaf] = chain;
  if (leaf === undefined) return { key, sha256 };
  if (!leaf.publicKey.equals(key)) {
    return refuse('E_UPDATE_TPM', 'the certificate is of another endorsement key');
  }
  // The same authority may certify keys that are in no TPM: those by which devices enroll.
  const usages = leaf.keyUsage ?? [];
  if (!usages.includes(EK_CERTIFICATE)) return { key, sha256 };
  return { key, sha256, manufacturer: manufacturerOf(chain, known) };
}

/** Each one signed by the next, up to one that an authority of a manufacturer has signed. */
function manufacturerOf(
  chain: readonly X509Certificate[],
  { manufacturers, nowMs }: { manufacturers: readonly TpmManufacturer[]; nowMs: number },
): string | undefined {
  for (const [at, certificate] of chain.entries()) {
    if (!isValidAt(certificate, nowMs)) return undefined;
    for (const { name, certificates } of manufacturers) {
      if (certificates.some((issuer) => isIssuedBy(certificate, issuer, nowMs))) return name;
    }
    const next = chain[at + 1];
    if (next === undefined || !isIssuedBy(certificate, next, nowMs)) return undefined;
  }
  return undefined;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate, nowMs: number): boolean {
  return (
    issuer.ca &&
    isValidAt(issuer, nowMs) &&
    certificate.checkIssued(issuer) &&
    certificate.verify(issuer.publicKey)
  );
}

function isValidAt(certificate: X509Certificate, nowMs: number): boolean {
  const { validFromDate, validToDate } = certificate;
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}

/** `tcg-kp-EKCertificate`, as an extended key usage. TCG EK Credential Profile for TPM 2.0 */
const EK_CERTIFICATE = '2.23.133.8.1';
