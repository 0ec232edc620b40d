/** Pins: the exact hashes by which a peer knows a certificate or a key. @module */
import { X509Certificate, createHash } from 'node:crypto';

/** The pins of a server certificate. */
export interface ServerPins {
  /** SHA-256 of the DER certificate: 64 lower-case hexadecimal digits. */
  readonly certificate: string;
  /** SHA-256 of the SubjectPublicKeyInfo in base64, as in RFC 7469: 44 characters. */
  readonly spki: string;
}

/** SHA-256 of a DER certificate, lower-case hex. Also the fingerprint under which it is known. */
export function certificatePin(certificateDer: Uint8Array): string {
  return createHash('sha256').update(certificateDer).digest('hex');
}

/** Both pins of a DER certificate. */
export function serverPins(certificateDer: Uint8Array): ServerPins {
  const { publicKey } = new X509Certificate(certificateDer);
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return {
    certificate: certificatePin(certificateDer),
    spki: createHash('sha256').update(spki).digest('base64'),
  };
}

/** SHA-256 of the DER trust anchor in base64url, as a claim carries it: 43 characters. */
export function anchorPin(rootDer: Uint8Array): string {
  return createHash('sha256').update(rootDer).digest('base64url');
}
