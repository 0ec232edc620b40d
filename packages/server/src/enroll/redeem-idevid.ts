/** Enrolls by the certificate of a manufacturer. @see RFC 7030 §3.3.2, IEEE 802.1AR @module */
import type { X509Certificate } from 'node:crypto';
import { Refusal, parseDeviceId, refuse } from '@holdfast/protocol';
import { type Idevid, checkIdevid } from '../pki/index.ts';
import type { Manufacturers } from '../registry/index.ts';
import { type IssueDeps, type Issued, issueOnce } from './issue-once.ts';
import { mayNotEnroll } from './redeem.ts';

/** Whose IDevIDs are accepted. */
export interface IdevidDeps extends IssueDeps {
  readonly manufacturers: Manufacturers;
}

/**
 * Enrolls the device for which an IDevID is allowed: once, see {@link issueOnce}. That the peer
 * holds the key of the IDevID is proven by the TLS handshake.
 * @returns the certificate, or `E_ENROLL_IDEVID`, `E_ENROLL_IDEVID_USED`, `E_ENROLL_STATE`, and,
 *   after a good IDevID only, `E_ENROLL_CSR` or `E_ENROLL_KEY`.
 */
export function redeemIdevid(
  { certificate, csr }: { certificate: X509Certificate; csr: Uint8Array },
  deps: IdevidDeps,
): Issued | Refusal {
  const { manufacturers, registry } = deps;
  const nowMs = deps.clock.nowMs();
  const idevid = checkIdevid(certificate, { manufacturers: manufacturers.all(), nowMs });
  if (idevid instanceof Refusal) return idevid;
  const allowance = manufacturers.find(idevid);
  const device = registry.byId(allowance?.deviceId ?? '');
  const id = parseDeviceId(allowance?.deviceId ?? '');
  if (allowance === undefined || device === undefined || id instanceof Refusal) {
    return refuse('E_ENROLL_IDEVID', `no device is allowed for ${textOf(idevid)}`);
  }
  const refusal = mayNotEnroll(device);
  if (refusal !== undefined) return refusal;
  const credential = {
    device,
    id,
    csr,
    redeemed: allowance.redeemed,
    used: { code: 'E_ENROLL_IDEVID_USED', what: `the IDevID of ${id}` },
  } as const;
  return issueOnce(
    {
      ...credential,
      enroll: (operational, redeemed) => {
        const { write, apply } = manufacturers.redemption(allowance, redeemed);
        const change = { certificate: operational, alsoWrite: write };
        const enrolled = registry.completeEnrollment(device, change);
        apply();
        return enrolled;
      },
    },
    deps,
  );
}

function textOf({ manufacturer, serial, certificateSerial }: Idevid): string {
  const inSubject = serial === undefined ? 'none in its subject' : `${serial} in its subject`;
  return `the serial number ${inSubject}, ${certificateSerial} of the certificate, by ${manufacturer}`;
}
