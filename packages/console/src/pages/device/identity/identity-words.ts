/** What the history of a device says of its certificates. Pure. @module */
import type { DeviceActView } from '@holdfast/protocol/api';
import { readCertificate } from '../../../proof/certificate.ts';

/** How a device came by a certificate. */
export interface CertificateOrigin {
  /** In plain words: who issued it, and by which way. */
  readonly way: string;
  readonly at: string;
  /** Of its key, such as `ECDSA P-256`; undefined where the history does not have it. */
  readonly keyAlgorithm: string | undefined;
  readonly issuer: string | undefined;
  /** Where it came from. */
  readonly address: string | undefined;
}

const WAYS: Readonly<Record<string, string>> = {
  claim: 'enrolled with a claim,',
  idevid: 'enrolled with the certificate of its manufacturer,',
};

/** The origins that a history knows, by the SHA-256 of the certificate. */
export function originsOf(acts: readonly DeviceActView[]): ReadonlyMap<string, CertificateOrigin> {
  const origins = new Map<string, CertificateOrigin>();
  for (const { action, at, facts = {} } of acts) {
    const fingerprint = textOf(facts['certificate']);
    const isIssued = action === 'device.enroll' || action === 'device.renew';
    if (!isIssued || fingerprint === undefined) continue;
    const certificate = certificateIn(facts);
    const by = textOf(facts['by']) ?? '';
    origins.set(fingerprint, {
      way: action === 'device.renew' ? 'renewed by the device itself,' : (WAYS[by] ?? 'enrolled'),
      at,
      keyAlgorithm: certificate?.keyAlgorithm,
      issuer: certificate?.issuerName,
      address: textOf(facts['address']),
    });
  }
  return origins;
}

function certificateIn(
  facts: Readonly<Record<string, unknown>>,
): ReturnType<typeof readCertificate> {
  const der = textOf(facts['certificateDer']);
  if (der === undefined) return undefined;
  try {
    return readCertificate(Uint8Array.fromBase64(der));
  } catch {
    // It is shown without what could not be read.
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
