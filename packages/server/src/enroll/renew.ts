/** Renews operational certificates: the present one, and a new key. @see RFC 7030 §4.2.2 @module */
import { X509Certificate } from 'node:crypto';
import { Refusal, parseDeviceId, refuse } from '@holdfast/protocol';
import { type CertificateRequest, certificatePem, parseCsr, spkiHashOf } from '../pki/index.ts';
import {
  type CertificateRecord,
  type ClassSettings,
  type Device,
  type DeviceRegistry,
} from '../registry/index.ts';
import { type IssueDeps, type Issued, certify } from './issue-once.ts';
import { SUPERSEDED_PATIENCE_MS } from './limits.ts';

/** Who asks: by a certificate of ours whose key the TLS handshake has proven. */
export interface RenewingPeer {
  readonly deviceId: string;
  /** What the registry knows of the certificate. */
  readonly record: CertificateRecord;
  readonly certificate: X509Certificate;
}

/** What a renewal gave. */
export interface Renewed extends Issued {
  /** True when the device has to be looked at first: its certificate had ended. */
  readonly isQuarantined: boolean;
}

/** What a renewal needs. */
export interface RenewDeps extends IssueDeps {
  readonly classSettings: Pick<ClassSettings, 'of'>;
  /** Counts a renewal of a device: `E_ENROLL_RATE` when it is one too many. */
  readonly count: (deviceId: string) => Refusal | undefined;
}

/**
 * Renews: the new certificate is pending until its first use, and the old one counts until then.
 * The same key again gets the same certificate as long as it is pending; another one replaces it.
 * It runs to its end without waiting for anything. Its caller has asked for the API key.
 *
 * @returns the certificate, or `E_SESSION_UNKNOWN_CERTIFICATE`, `E_SESSION_REVOKED`,
 *   `E_SESSION_SUPERSEDED`, `E_ENROLL_CLONE`, `E_ENROLL_STATE`, `E_ENROLL_GRACE`, `E_ENROLL_RATE`,
 *   `E_ENROLL_CSR` or `E_ENROLL_KEY`.
 */
export function renew(
  { deviceId, record: seen, certificate }: RenewingPeer,
  csr: Uint8Array,
  deps: RenewDeps,
): Renewed | Refusal {
  const { registry, clock } = deps;
  // The request took its time to arrive; what counts is how things stand now.
  const record = registry.certificate(seen.fingerprint) ?? seen;
  const nowMs = clock.nowMs();
  const device = registry.byId(deviceId);
  const id = parseDeviceId(deviceId);
  if (device === undefined || id instanceof Refusal) {
    return refuse('E_SESSION_UNKNOWN_CERTIFICATE', `no device ${deviceId}`);
  }
  const isLost = lossOf(record, { device, nowMs });
  if (isLost !== undefined) return isLost;
  const request = parseCsr(csr);
  if (request instanceof Refusal) return request;
  if (request.spkiHash === spkiHashOf(certificate)) {
    return refuse('E_ENROLL_KEY', 'it is the key of the present certificate; make a new one');
  }
  const repeated = pendingFor(request, { registry, device });
  if (repeated !== undefined) return repeated;
  const { renewalGraceMs } = deps.classSettings.of(device.class);
  const refusal = whyNot(record, { device, nowMs, renewalGraceMs }) ?? deps.count(deviceId);
  if (refusal !== undefined) return refusal;
  // Its key is proven, and its API key was shown, so this is the first use of a pending one that has ended meanwhile.
  registry.useCertificate(record.fingerprint);
  const { der, record: issued } = certify(request, { ...deps, device, id });
  const pending = { spkiHash: request.spkiHash, certificatePem: certificatePem(der) };
  const isQuarantined = nowMs > record.notAfterMs;
  const renewed = registry.renew(device, {
    certificate: { ...issued, status: 'pending', pending },
    ...(isQuarantined && { quarantineReason: AWAY_TOO_LONG }),
  });
  const { ignored } = request;
  return { device: renewed, certificateDer: der, isRepeated: false, ignored, isQuarantined };
}

/** Whether the certificate counts no more because of what became of it. */
function lossOf(
  { serial, status, endedAtMs = 0 }: CertificateRecord,
  { device, nowMs }: { device: Device; nowMs: number },
): Refusal | undefined {
  const what = `certificate ${serial} of ${device.id}`;
  if (status === 'revoked' || device.state === 'revoked') return refuse('E_SESSION_REVOKED', what);
  if (status !== 'superseded') return undefined;
  if (nowMs < endedAtMs + SUPERSEDED_PATIENCE_MS) return refuse('E_SESSION_SUPERSEDED', what);
  const since = new Date(endedAtMs).toISOString();
  return refuse('E_ENROLL_CLONE', `${what}, which was superseded ${since}`);
}

/** The certificate that this key was given before; it may be in quarantine meanwhile. */
function pendingFor(
  { spkiHash, ignored }: CertificateRequest,
  { registry, device }: { registry: DeviceRegistry; device: Device },
): Renewed | undefined {
  const found = registry
    .certificatesOf(device.id)
    .find(({ status, pending }) => status === 'pending' && pending?.spkiHash === spkiHash);
  if (found?.pending === undefined || !MAY_REPEAT.has(device.state)) return undefined;
  const { raw: certificateDer } = new X509Certificate(found.pending.certificatePem);
  return { device, certificateDer, isRepeated: true, ignored, isQuarantined: false };
}

function whyNot(
  { notAfterMs, serial }: CertificateRecord,
  { device, nowMs, renewalGraceMs }: { device: Device; nowMs: number; renewalGraceMs: number },
): Refusal | undefined {
  const { id, state, stateReason } = device;
  if (state !== 'claimed' && state !== 'active') {
    return refuse('E_ENROLL_STATE', `${id} is ${state}: ${stateReason}`);
  }
  if (nowMs <= notAfterMs + renewalGraceMs) return undefined;
  const ended = new Date(notAfterMs).toISOString();
  const days = renewalGraceMs / DAY_MS;
  const detail = `certificate ${serial} of ${id} ended ${ended}; a ${device.class} has ${days} days`;
  return refuse('E_ENROLL_GRACE', detail);
}

const AWAY_TOO_LONG = 'renewed after the end of its certificate: to be looked at first';
const MAY_REPEAT: ReadonlySet<Device['state']> = new Set(['claimed', 'active', 'quarantined']);
const DAY_MS = 86_400_000;
