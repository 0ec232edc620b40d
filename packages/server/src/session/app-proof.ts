/** Whether somebody holds the key of the certificate that they show: by a signature. @module */
import { type KeyObject, X509Certificate, verify } from 'node:crypto';
import { Refusal, formatAppProof, refuse } from '@holdfast/protocol';

/** What was shown. Nothing in it is believed before it is checked. */
export interface ShownProof {
  /** PEM; only the first certificate in it is looked at. */
  readonly certificatePem: string;
  /** 64 bytes, base64url. */
  readonly signature: string;
  readonly challenge: string;
  /** The origin that the request was made to. */
  readonly origin: string;
}

const SIGNATURE_BYTES = 64;

/**
 * The certificate whose key has signed the proof: ES256 and nothing else. Who issued it, and
 * whether it counts, is not decided here: anybody can make a certificate and sign with its key.
 */
export function provenCertificate(shown: ShownProof): X509Certificate | Refusal {
  const certificate = certificateOf(shown.certificatePem);
  if (certificate instanceof Refusal) return certificate;
  const { challenge, origin } = shown;
  const key = es256KeyOf(certificate);
  if (key === undefined) return no('the key of the certificate is none for ES256');
  const signature = Buffer.from(shown.signature, 'base64url');
  const text = formatAppProof({
    origin,
    challenge,
    certificate: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  });
  const isRight =
    signature.length === SIGNATURE_BYTES &&
    verify('sha256', Buffer.from(text, 'utf8'), { key, dsaEncoding: 'ieee-p1363' }, signature);
  return isRight ? certificate : no('the signature is not by the key of the certificate');
}

function certificateOf(pem: string): X509Certificate | Refusal {
  try {
    return new X509Certificate(pem);
  } catch {
    return no('there is no certificate in it');
  }
}

/** The key of a certificate on P-256; undefined for any other. */
function es256KeyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    const { publicKey } = certificate;
    const isP256 = publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    return publicKey.asymmetricKeyType === 'ec' && isP256 ? publicKey : undefined;
  } catch {
    // OpenSSL does not know every kind of key that a certificate can carry.
    return undefined;
  }
}

function no(detail: string): Refusal {
  return refuse('E_OPERATE_UNAUTHENTICATED', detail);
}
