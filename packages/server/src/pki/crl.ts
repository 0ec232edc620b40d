/**
 * Certificate revocation lists. The list of entries is encoded by hand into memory of its own: the
 * ASN.1 library needs quadratic time for it.
 * @see RFC 5280 §5
 * @module
 */
import {
  ECDSA_WITH_SHA256,
  GENERALIZED_TIME,
  INTEGER,
  UTC_TIME,
  isUtcTime,
  octetString,
  smallInteger,
  time,
  timeText,
} from './der-values.ts';
import { SEQUENCE, element, header } from './der.ts';
import type { RevocationIssuer } from './revocation-issuer.ts';
import { issuingDistributionPoint } from './revocation-urls.ts';

/** Why a certificate ended, as far as others are told. RFC 5280 §5.3.1 */
export const REVOCATION_REASONS = {
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;
export type RevocationReason = keyof typeof REVOCATION_REASONS;

/** A certificate that ended before its time. */
export interface RevokedCertificate {
  /** Serial number, lower-case hex, as it stands in the certificate: at most 20 bytes, positive. */
  readonly serial: string;
  readonly revokedAtMs: number;
  /** When it would have expired. */
  readonly notAfterMs: number;
  /** Undefined when nothing more is known. */
  readonly reason?: RevocationReason | undefined;
}

/** What a CRL says. */
export interface CrlContent {
  /** cRLNumber: larger in each new CRL of the same kind. */
  readonly number: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Encoded entries, as {@link writeCrlEntry} writes them, in any number of pieces. */
  readonly entries: readonly Uint8Array[];
  /** URL that the certificates of a partition name; undefined for a complete list. */
  readonly partitionUrl?: string | undefined;
}

/** Signs a CRL; gives it in DER. */
export function signCrl(content: CrlContent, issuer: RevocationIssuer): Uint8Array {
  const { thisUpdateMs, nextUpdateMs, entries } = content;
  const length = entries.reduce((sum, { byteLength }) => sum + byteLength, 0);
  // An empty list must be left out. RFC 5280 §5.1.2.6
  const list = length === 0 ? [] : [header(SEQUENCE, length), ...entries];
  const tbs = element(
    SEQUENCE,
    VERSION_2,
    ECDSA_WITH_SHA256,
    issuer.nameDer,
    time(thisUpdateMs),
    time(nextUpdateMs),
    ...list,
    element(CONTEXT_0, element(SEQUENCE, ...extensions(content, issuer))),
  );
  return issuer.signed(tbs);
}

/** The most bytes that {@link writeCrlEntry} writes. */
export const CRL_ENTRY_BYTES_MAX = 56;

/** Writes one entry; gives the offset behind it. RFC 5280 §5.1.2.6 */
export function writeCrlEntry(
  target: Buffer,
  offset: number,
  { serial, revokedAtMs, reason }: RevokedCertificate,
): number {
  // Every length in here is below 128, so each takes one byte.
  let at = offset + 2;
  const serialLength = serial.length / 2;
  target[at] = INTEGER;
  target[at + 1] = serialLength;
  at = at + 2 + target.write(serial, at + 2, 'hex');
  const isShort = isUtcTime(revokedAtMs);
  const text = isShort ? timeText(revokedAtMs).slice(2) : timeText(revokedAtMs);
  target[at] = isShort ? UTC_TIME : GENERALIZED_TIME;
  target[at + 1] = text.length;
  at = at + 2 + target.write(text, at + 2, 'latin1');
  if (reason !== undefined) {
    at += REASON_EXTENSION.copy(target, at);
    target[at] = REVOCATION_REASONS[reason];
    at += 1;
  }
  target[offset] = SEQUENCE;
  target[offset + 1] = at - offset - 2;
  return at;
}

function extensions(
  { number, partitionUrl }: CrlContent,
  { keyId }: RevocationIssuer,
): Uint8Array[] {
  const keyIdentifier = element(CONTEXT_0_PRIMITIVE, Buffer.from(keyId, 'hex'));
  const list = [
    extension(AUTHORITY_KEY_IDENTIFIER, element(SEQUENCE, keyIdentifier)),
    extension(CRL_NUMBER, smallInteger(number)),
  ];
  if (partitionUrl !== undefined) {
    const value = octetString(issuingDistributionPoint(partitionUrl));
    list.push(element(SEQUENCE, ISSUING_DISTRIBUTION_POINT, TRUE, value));
  }
  return list;
}

function extension(id: Uint8Array, value: Uint8Array): Uint8Array {
  return element(SEQUENCE, id, octetString(value));
}

const CONTEXT_0 = 0xa0;
const CONTEXT_0_PRIMITIVE = 0x80;
const VERSION_2 = Buffer.from('020101', 'hex');
const TRUE = Buffer.from('0101ff', 'hex');
/** 2.5.29.35 */
const AUTHORITY_KEY_IDENTIFIER = Buffer.from('0603551d23', 'hex');
/** 2.5.29.20 */
const CRL_NUMBER = Buffer.from('0603551d14', 'hex');
/** 2.5.29.28 */
const ISSUING_DISTRIBUTION_POINT = Buffer.from('0603551d1c', 'hex');
/** The extension reasonCode (2.5.29.21) up to its value. */
const REASON_EXTENSION = Buffer.from('300c300a0603551d1504030a01', 'hex');
