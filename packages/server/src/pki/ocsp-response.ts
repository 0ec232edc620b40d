/**
 * OCSP answers, signed by the issuer of the certificates itself.
 *
 * A delegated responder would need a certificate of its own that is renewed in time; and as the
 * devices authority is constrained to client authentication, a verifier that nests purposes may
 * refuse one with the purpose OCSPSigning below it. The issuer's own signature needs neither.
 * @see RFC 6960 §4.2
 * @module
 */
import { REVOCATION_REASONS, type RevocationReason } from './crl.ts';
import { generalizedTime, octetString } from './der-values.ts';
import { SEQUENCE, element } from './der.ts';
import type { RevocationIssuer } from './revocation-issuer.ts';

/** What is known of a certificate. */
export type CertificateStatus =
  | { readonly kind: 'good' }
  | {
      readonly kind: 'revoked';
      readonly revokedAtMs: number;
      readonly reason?: RevocationReason | undefined;
    }
  | { readonly kind: 'unknown' };

/** What an answer says. */
export interface OcspAnswer {
  /** The certificate ids of the request with what is known of each. */
  readonly certificates: readonly { readonly id: Uint8Array; readonly status: CertificateStatus }[];
  /** Repeats that of the request. */
  readonly nonce: Uint8Array | undefined;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
}

/** Signs an answer; gives the whole OCSPResponse in DER. */
export function signOcspAnswer(answer: OcspAnswer, issuer: RevocationIssuer): Uint8Array {
  const { certificates, nonce, thisUpdateMs, nextUpdateMs } = answer;
  const thisUpdate = generalizedTime(thisUpdateMs);
  const nextUpdate = element(CONTEXT_0, generalizedTime(nextUpdateMs));
  const responses = certificates.map(({ id, status }) =>
    element(SEQUENCE, id, certStatus(status), thisUpdate, nextUpdate),
  );
  const tbs = element(
    SEQUENCE,
    // By its key: two generations of an authority have the same name.
    element(CONTEXT_2, octetString(issuer.responderKeyHash)),
    thisUpdate,
    element(SEQUENCE, ...responses),
    ...(nonce === undefined ? [] : [nonceExtensions(nonce)]),
  );
  const basic = element(SEQUENCE, ID_PKIX_OCSP_BASIC, octetString(issuer.signed(tbs)));
  return element(SEQUENCE, SUCCESSFUL, element(CONTEXT_0, basic));
}

/** Answers without a signature. RFC 6960 §2.3 */
export const OCSP_ERRORS = {
  malformedRequest: Buffer.from('30030a0101', 'hex'),
  tryLater: Buffer.from('30030a0103', 'hex'),
  /** This responder does not speak for the issuer. RFC 5019 §2.2.3 */
  unauthorized: Buffer.from('30030a0106', 'hex'),
} as const;

function certStatus(status: CertificateStatus): Uint8Array {
  switch (status.kind) {
    case 'good':
      return GOOD;
    case 'unknown':
      return UNKNOWN;
    case 'revoked': {
      const { revokedAtMs, reason } = status;
      const code = reason === undefined ? [] : [reasonCode(reason)];
      return element(CONTEXT_1, generalizedTime(revokedAtMs), ...code);
    }
  }
}

function reasonCode(reason: RevocationReason): Uint8Array {
  return element(CONTEXT_0, element(ENUMERATED, Uint8Array.of(REVOCATION_REASONS[reason])));
}

function nonceExtensions(nonce: Uint8Array): Uint8Array {
  const extension = element(SEQUENCE, ID_PKIX_OCSP_NONCE, octetString(nonce));
  return element(CONTEXT_1, element(SEQUENCE, extension));
}

const ENUMERATED = 0x0a;
const CONTEXT_0 = 0xa0;
const CONTEXT_1 = 0xa1;
const CONTEXT_2 = 0xa2;
const GOOD = Buffer.from('8000', 'hex');
const UNKNOWN = Buffer.from('8200', 'hex');
const SUCCESSFUL = Buffer.from('0a0100', 'hex');
/** 1.3.6.1.5.5.7.48.1.1 */
const ID_PKIX_OCSP_BASIC = Buffer.from('06092b0601050507300101', 'hex');
/** 1.3.6.1.5.5.7.48.1.2 */
const ID_PKIX_OCSP_NONCE = Buffer.from('06092b0601050507300102', 'hex');
