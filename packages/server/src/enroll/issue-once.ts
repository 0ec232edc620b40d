/** Issues one certificate for a credential that enrolls once, and the same one again for a while. @module */
import { X509Certificate } from 'node:crypto';
import { type DeviceId, Refusal, type TenantName, refuse } from '@holdfast/protocol';
import type { Clock } from '../kernel/index.ts';
import { type Authority, type CertificateRequest, certificatePem, parseCsr } from '../pki/index.ts';
import {
  type CertificateRecord,
  DEVICE_CLASSES,
  type Device,
  type DeviceRegistry,
} from '../registry/index.ts';
import { REPEAT_MS_MAX } from './limits.ts';

/** Whose certificates are issued, and by whom. */
export interface IssueDeps {
  readonly registry: DeviceRegistry;
  readonly authority: Authority;
  readonly tenant: TenantName;
  readonly clock: Clock;
}

/** What a credential has enrolled with. */
export interface Redemption {
  /** SHA-256 of the public key, lower-case hex. */
  readonly spkiHash: string;
  readonly atMs: number;
  readonly certificatePem: string;
}

/** A credential that was checked, and the request that came with it. */
export interface OneTimeCredential {
  readonly device: Device;
  readonly id: DeviceId;
  readonly csr: Uint8Array;
  /** What it has enrolled with before. */
  readonly redeemed: Redemption | undefined;
  /** The refusal of a second use: a code, and what the credential is. */
  readonly used: {
    readonly code: 'E_ENROLL_CLAIM_USED' | 'E_ENROLL_IDEVID_USED';
    readonly what: string;
  };
  /** Records the enrollment with the redeemed credential in one transaction. */
  readonly enroll: (certificate: CertificateRecord, redeemed: Redemption) => Device;
}

/** An operational certificate for a device. */
export interface Issued {
  readonly device: Device;
  readonly certificateDer: Uint8Array;
  /** True when the same certificate was given again. */
  readonly isRepeated: boolean;
  /** What the request asked for and was not given. */
  readonly ignored: readonly string[];
}

/**
 * Issues the certificate, or gives the same key the same one again within `REPEAT_MS_MAX`. It
 * runs to its end without waiting for anything, so of two requests at the same time one is the
 * first, and the other finds the credential used.
 * @returns the certificate, or the refusal of a second use, `E_ENROLL_CSR` or `E_ENROLL_KEY`.
 */
export function issueOnce(credential: OneTimeCredential, deps: IssueDeps): Issued | Refusal {
  const { device, redeemed, used, csr } = credential;
  const nowMs = deps.clock.nowMs();
  if (redeemed !== undefined && nowMs >= redeemed.atMs + REPEAT_MS_MAX) {
    return refuse(used.code, `${used.what} was redeemed before`);
  }
  const request = parseCsr(csr);
  if (request instanceof Refusal) return request;
  const { ignored } = request;
  if (redeemed !== undefined) {
    if (request.spkiHash !== redeemed.spkiHash) {
      return refuse(used.code, `${used.what} was redeemed with another key`);
    }
    const certificateDer = new X509Certificate(redeemed.certificatePem).raw;
    return { device, certificateDer, isRepeated: true, ignored };
  }
  const { der, record } = certify(request, { ...deps, device, id: credential.id });
  const enrolled = credential.enroll(
    { ...record, status: 'current' },
    { spkiHash: request.spkiHash, atMs: nowMs, certificatePem: certificatePem(der) },
  );
  return { device: enrolled, certificateDer: der, isRepeated: false, ignored };
}

/** Issues a certificate with the life of the device's class. It is not recorded yet. */
export function certify(
  { spkiDer: spki }: CertificateRequest,
  {
    device,
    id: deviceId,
    authority,
    tenant,
  }: Pick<IssueDeps, 'authority' | 'tenant'> & { device: Device; id: DeviceId },
): { der: Uint8Array; record: Omit<CertificateRecord, 'status'> } {
  const { certificateLifeMs: lifeMs } = DEVICE_CLASSES[device.class];
  const { der, ...facts } = authority.issueDevice({ spki, tenant, deviceId, lifeMs });
  return { der, record: { ...facts, deviceId } };
}
