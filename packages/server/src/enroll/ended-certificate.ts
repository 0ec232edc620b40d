/** How the record of an ended certificate reads for others. @module */
import {
  REVOCATION_REASONS,
  type RevocationReason,
  type RevokedCertificate,
} from '../pki/index.ts';
import type { CertificateRecord, Device } from '../registry/index.ts';

/** Whether a certificate ended before its time. One that is not used yet has not. */
export function isEnded({ status }: CertificateRecord): boolean {
  return status === 'superseded' || status === 'revoked';
}

/** When it ended, and why; `device` is whose it was. */
export function revocationOf(
  certificate: CertificateRecord,
  device: Device | undefined,
): RevokedCertificate {
  const { serial, notAfterMs, notBeforeMs, endedAtMs } = certificate;
  // A record from before ends were noted: nothing after its beginning can be vouched for.
  const revokedAtMs = endedAtMs ?? notBeforeMs;
  return { serial, notAfterMs, revokedAtMs, reason: reasonOf(certificate, device) };
}

/**
 * A device that was revoked says nothing of the reason, unless the operator gave one in the words
 * of RFC 5280: what people write is for the audit log, and not for everybody.
 */
function reasonOf(
  { status, endReason }: CertificateRecord,
  device: Device | undefined,
): RevocationReason | undefined {
  if (status === 'superseded') return 'superseded';
  const named = REASON_NAMES.find((name) => name === endReason);
  return named ?? (device?.state === 'retired' ? 'cessationOfOperation' : undefined);
}

const REASON_NAMES = Object.keys(REVOCATION_REASONS) as RevocationReason[];
