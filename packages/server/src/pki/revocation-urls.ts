/** Where the revocation of a certificate is told, and how a certificate says so. @module */
import { SEQUENCE, element } from './der.ts';
import { CRL_PARTITIONS } from './limits.ts';

/** Path of the OCSP responder. */
export const OCSP_PATH = '/ocsp';

/** Which CRL is meant. */
export interface CrlName {
  /** First digits of the issuer's key identifier; undefined for the one that issues now. */
  readonly issuer?: string | undefined;
  /** Which part of the list; undefined for all of it. */
  readonly partition?: number | undefined;
}

/** How an issuer is called in paths: 32 bits tell apart the few that one server has. */
export function issuerLabel(issuerKeyId: string): string {
  return issuerKeyId.slice(0, ISSUER_DIGITS);
}

/** The partition in which a certificate would stand: a fixed function of its serial number. */
export function partitionOf(serial: string): number {
  // The last byte is random, and a serial number of another kind has one, too.
  return Number.parseInt(serial.slice(-2), 16) % CRL_PARTITIONS;
}

/** Path of a CRL: `/crl/devices.crl`, `/crl/devices-1a2b3c4d.crl`, `/crl/devices-1a2b3c4d-7.crl`. */
export function crlPath({ issuer, partition }: CrlName): string {
  const parts = ['devices', issuer, partition].filter((part) => part !== undefined);
  return `/crl/${parts.join('-')}.crl`;
}

/** Reads the path of a CRL; undefined when it is none. */
export function parseCrlPath(path: string): CrlName | undefined {
  const found = CRL_PATH.exec(path);
  if (found === null) return undefined;
  const [, issuer, number] = found;
  const partition = number === undefined ? undefined : Number(number);
  if (partition !== undefined && partition >= CRL_PARTITIONS) return undefined;
  return { issuer, partition };
}

/** Where one certificate sends whoever wants to know whether it is revoked. */
export function revocationUrls(
  baseUrl: string,
  { issuerKeyId, serial }: { issuerKeyId: string; serial: string },
): { crlUrl: string; ocspUrl: string } {
  const name = { issuer: issuerLabel(issuerKeyId), partition: partitionOf(serial) };
  return { crlUrl: baseUrl + crlPath(name), ocspUrl: baseUrl + OCSP_PATH };
}

/** The content of the extension cRLDistributionPoints. RFC 5280 §4.2.1.13 */
export function distributionPoints(crlUrl: string): Uint8Array {
  return element(SEQUENCE, element(SEQUENCE, distributionPointName(crlUrl)));
}

/** The content of the extension authorityInfoAccess. RFC 5280 §4.2.2.1 */
export function ocspAccess(ocspUrl: string): Uint8Array {
  return element(SEQUENCE, element(SEQUENCE, ID_AD_OCSP, uri(ocspUrl)));
}

/**
 * The content of the extension issuingDistributionPoint of a partition. RFC 5280 §5.2.5: the name
 * must be byte for byte that of the certificates.
 */
export function issuingDistributionPoint(crlUrl: string): Uint8Array {
  return element(SEQUENCE, distributionPointName(crlUrl), ONLY_CONTAINS_USER_CERTS);
}

function distributionPointName(url: string): Uint8Array {
  return element(CONTEXT_0, element(CONTEXT_0, uri(url)));
}

function uri(url: string): Uint8Array {
  return element(URI, Buffer.from(url, 'ascii'));
}

const CRL_PATH = /^\/crl\/devices(?:-([0-9a-f]{8}))?(?:-(0|[1-9]\d{0,2}))?\.crl$/u;
const ISSUER_DIGITS = 8;
const CONTEXT_0 = 0xa0;
/** GeneralName uniformResourceIdentifier. */
const URI = 0x86;
/** 1.3.6.1.5.5.7.48.1 */
const ID_AD_OCSP = Buffer.from('06082b06010505073001', 'hex');
const ONLY_CONTAINS_USER_CERTS = Buffer.from('8101ff', 'hex');
