/** Whether a client certificate is one of ours: the decision of the TLS gate. @module */
import type { X509Certificate } from 'node:crypto';
import {
  type AppId,
  type DeviceId,
  Refusal,
  type TenantName,
  parseAppUrn,
  parseDeviceUrn,
  refuse,
} from '@holdfast/protocol';
import type { IssuingAuthority } from './authority.ts';
import { certificatePin } from './pins.ts';

/** Who a good client certificate names. */
export interface ClientIdentity {
  readonly deviceId: DeviceId;
  /** SHA-256 of the DER certificate, lower-case hex. */
  readonly fingerprint: string;
}

/** Whose certificates are accepted, for which tenant, and when. */
export interface ClientCertificateDeps {
  /** The public half of the authority: `Authority` is one. */
  readonly authority: { readonly issuers: readonly IssuingAuthority[] };
  readonly tenant: TenantName;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * Checks a client certificate from the beginning, whatever OpenSSL has said of it: OpenSSL does
 * not look again when a session is resumed. Whether the registry knows the certificate, and
 * whether it is revoked, is not decided here.
 * @returns who it is, or `E_SESSION_FOREIGN_CA`, `E_SESSION_PURPOSE`, `E_SESSION_NOT_YET_VALID`
 *   or `E_SESSION_EXPIRED`.
 * @see RFC 5280 §6
 */
export function checkClientCertificate(
  peer: X509Certificate,
  { authority, tenant, nowMs }: ClientCertificateDeps,
): ClientIdentity | Refusal {
  const refusal = checkIssuance(peer, { authority, nowMs, role: 'devices' });
  if (refusal !== undefined) return refusal;
  const deviceId = deviceNamedBy(peer, tenant);
  if (deviceId instanceof Refusal) return deviceId;
  return { deviceId, fingerprint: certificatePin(peer.raw) };
}

/** Who a good certificate of an app names. */
export interface AppIdentity {
  readonly appId: AppId;
  /** SHA-256 of the DER certificate, lower-case hex. */
  readonly fingerprint: string;
}

/** As {@link checkClientCertificate}, for the certificate of an owner's app. */
export function checkAppCertificate(
  peer: X509Certificate,
  { authority, tenant, nowMs }: ClientCertificateDeps,
): AppIdentity | Refusal {
  const refusal = checkIssuance(peer, { authority, nowMs, role: 'apps' });
  if (refusal !== undefined) return refusal;
  const uri = onlyUriOf(peer);
  if (uri instanceof Refusal) return uri;
  const name = parseAppUrn(uri);
  if (name instanceof Refusal || name.tenant !== tenant) {
    return refuse('E_SESSION_PURPOSE', 'the certificate does not name exactly one app of ours');
  }
  return { appId: name.app, fingerprint: certificatePin(peer.raw) };
}

/** Issuer, its state and role, and validity; undefined when nothing speaks against them. */
function checkIssuance(
  peer: X509Certificate,
  {
    authority,
    nowMs,
    role,
  }: Pick<ClientCertificateDeps, 'authority' | 'nowMs'> & { role: IssuingAuthority['role'] },
): Refusal | undefined {
  const issuer = issuerOf(peer, authority.issuers);
  if (issuer === undefined) {
    return refuse('E_SESSION_FOREIGN_CA', 'another authority issued the certificate');
  }
  if (issuer.state === 'ended') {
    const detail = `generation ${issuer.generation} of our authority issued it, which has ended`;
    return refuse('E_SESSION_FOREIGN_CA', detail);
  }
  if (issuer.role !== role) {
    return refuse('E_SESSION_PURPOSE', `the certificate is one of ${issuer.role}`);
  }
  if (nowMs < peer.validFromDate.getTime()) {
    return refuse('E_SESSION_NOT_YET_VALID', `the certificate counts from ${peer.validFrom}`);
  }
  if (nowMs > peer.validToDate.getTime()) {
    return refuse('E_SESSION_EXPIRED', `the certificate ended ${peer.validTo}`);
  }
  return undefined;
}

/**
 * Whether an authority issued a certificate, by what was noted of it: records from before rotation
 * do not name their issuer, as there was one generation then.
 */
export function wasIssuedBy(
  { generation, keyId }: Pick<IssuingAuthority, 'generation' | 'keyId'>,
  issuerKeyId: string | undefined,
): boolean {
  return issuerKeyId === undefined ? generation === 1 : issuerKeyId === keyId;
}

/** The one of our issuing authorities that issued a certificate; undefined when none did. */
export function issuerOf(
  certificate: X509Certificate,
  issuers: readonly IssuingAuthority[],
): IssuingAuthority | undefined {
  return issuers.find((issuer) => isIssuedBy(certificate, issuer.certificate));
}

/** Name, key identifier and key usage match, and the signature verifies. */
function isIssuedBy(peer: X509Certificate, issuer: X509Certificate): boolean {
  return peer.checkIssued(issuer) && peer.verify(issuer.publicKey);
}

/** The signature is ours, so the content should be too; a profile error must still not pass. */
function onlyUriOf(peer: X509Certificate): string | Refusal {
  if (peer.ca || !purposesOf(peer).includes(CLIENT_AUTHENTICATION)) {
    return refuse('E_SESSION_PURPOSE', 'the certificate is not for client authentication');
  }
  // The text of all alternative names. The grammar of our URNs has no comma, space or quote, so a
  // second name, or one that had to be quoted, makes it no URN.
  const names = peer.subjectAltName ?? '';
  if (names.startsWith(URI_KIND)) return names.slice(URI_KIND.length);
  return refuse('E_SESSION_PURPOSE', 'the certificate does not name exactly one client');
}

function deviceNamedBy(peer: X509Certificate, tenant: TenantName): DeviceId | Refusal {
  const uri = onlyUriOf(peer);
  if (uri instanceof Refusal) return uri;
  const name = parseDeviceUrn(uri);
  if (name instanceof Refusal) {
    return refuse('E_SESSION_PURPOSE', 'the certificate does not name exactly one device');
  }
  if (name.tenant !== tenant) {
    return refuse('E_SESSION_PURPOSE', 'the certificate names a device of another tenant');
  }
  return name.device;
}

/** What node:crypto calls key usage is the extended one; without it there is none, untyped. */
function purposesOf({ keyUsage }: { readonly keyUsage?: readonly string[] }): readonly string[] {
  return keyUsage ?? [];
}

const URI_KIND = 'URI:';
/** RFC 5280 §4.2.1.12 */
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
