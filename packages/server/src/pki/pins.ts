/** Pins: the exact hashes by which a peer knows a certificate or a key. @module */
import { X509Certificate, createHash } from 'node:crypto';

/** The pins of a server certificate. */
export interface ServerPins {
  /** SHA-256 of the DER certificate: 64 lower-case hexadecimal digits. */
  readonly certificate: string;
  /** SHA-256 of the SubjectPublicKeyInfo in base64, as in RFC 7469: 44 characters. */
  readonly spki: string;
  /** The same of the key that this server will have next. */
  readonly backupSpki: string;
}

/** SHA-256 of a DER certificate, lower-case hex. Also the fingerprint under which it is known. */
export function certificatePin(certificateDer: Uint8Array): string {
  return createHash('sha256').update(certificateDer).digest('hex');
}

/** The pins of a DER certificate, and of the next key, a SubjectPublicKeyInfo in DER. */
export function serverPins(certificateDer: Uint8Array, nextSpki: Uint8Array): ServerPins {
  const { publicKey } = new X509Certificate(certificateDer);
  return {
    certificate: certificatePin(certificateDer),
    spki: spkiPin(publicKey.export({ format: 'der', type: 'spki' })),
    backupSpki: spkiPin(nextSpki),
  };
}

/**
 * The pins as a device keeps them: one for the server as it is, one for its next key.
 * @see RFC 7469 §2.5, which wants a backup pin for a key that is not in use
 */
export function devicePins({
  spki,
  certificate,
  backupSpki,
}: ServerPins): [{ spki: string; certificate: string }, { spki: string }] {
  return [{ spki, certificate }, { spki: backupSpki }];
}

function spkiPin(spki: Uint8Array): string {
  return createHash('sha256').update(spki).digest('base64');
}

/** SHA-256 of the DER trust anchor in base64url, as a claim carries it: 43 characters. */
export function anchorPin(rootDer: Uint8Array): string {
  return createHash('sha256').update(rootDer).digest('base64url');
}
