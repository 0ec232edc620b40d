/**
 * Reads certificate requests (PKCS#10). A request contributes its public key, and nothing else.
 * @see RFC 2986, RFC 7030 §4.2.1
 * @module
 */
import { type KeyObject, createHash, createPublicKey, verify } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import { CertificationRequest } from '@peculiar/asn1-csr';
import {
  id_ecPublicKey,
  id_ecdsaWithSHA256,
  id_ecdsaWithSHA384,
  id_ecdsaWithSHA512,
} from '@peculiar/asn1-ecc';
import { AsnConvert } from '@peculiar/asn1-schema';
import type { SubjectPublicKeyInfo } from '@peculiar/asn1-x509';
import { ignoredWishes } from './csr-wishes.ts';
import { isOneElement } from './der.ts';
import { decodeTextForm } from './text-form.ts';

/** Largest request body, in bytes: a request for a P-256 key has about 300, in base64 400. */
export const CSR_BYTES_MAX = 8_192;

/** What counts of a certificate request. */
export interface CertificateRequest {
  /** SubjectPublicKeyInfo in DER: a P-256 key, uncompressed, in the one canonical encoding. */
  readonly spkiDer: Uint8Array;
  /** SHA-256 of `spkiDer`, lower-case hex. */
  readonly spkiHash: string;
  /** What else was asked for and is not given, for the log: printable ASCII, short. */
  readonly ignored: readonly string[];
}

/**
 * Reads a request in DER, in PEM, or in base64 on one line or wrapped, and verifies that its
 * sender holds the private key.
 * @returns the request, or `E_ENROLL_CSR` or `E_ENROLL_KEY`.
 */
export function parseCsr(body: Uint8Array | string): CertificateRequest | Refusal {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  if (bytes.length > CSR_BYTES_MAX) {
    return refuse('E_ENROLL_CSR', `the request is larger than ${CSR_BYTES_MAX} bytes`);
  }
  const der = decodeTextForm(bytes);
  const request = der === undefined ? undefined : decode(der);
  if (request === undefined) {
    return refuse('E_ENROLL_CSR', 'the body is no PKCS#10 request in DER, PEM or base64');
  }
  const spkiDer = canonicalSpki(request.certificationRequestInfo.subjectPKInfo);
  const publicKey = spkiDer === undefined ? undefined : readPublicKey(spkiDer);
  if (spkiDer === undefined || publicKey === undefined) {
    return refuse('E_ENROLL_KEY', 'the key of the request is no elliptic-curve key on P-256');
  }
  if (!hasProofOfPossession(request, publicKey)) {
    return refuse(
      'E_ENROLL_CSR',
      'the request is not signed with its own key, by ECDSA with SHA-2',
    );
  }
  return {
    spkiDer,
    spkiHash: createHash('sha256').update(spkiDer).digest('hex'),
    ignored: ignoredWishes(request.certificationRequestInfo),
  };
}

/** Undefined when it does not decode: the ASN.1 library throws on what it does not know. */
function decode(der: Uint8Array): CertificationRequest | undefined {
  // The library ignores bytes after the request, and takes BER lengths: this refuses both.
  if (!isOneElement(der)) return undefined;
  try {
    return AsnConvert.parse(der, CertificationRequest);
  } catch {
    return undefined;
  }
}

/**
 * The canonical encoding of a P-256 key; undefined for any other key. The point is put behind a
 * fixed prefix, so that one key has one encoding and one hash, however the sender encoded it.
 */
function canonicalSpki(spki: SubjectPublicKeyInfo): Uint8Array | undefined {
  const { algorithm, parameters } = spki.algorithm;
  const point = new Uint8Array(spki.subjectPublicKey);
  const isP256 =
    algorithm === id_ecPublicKey &&
    parameters instanceof ArrayBuffer &&
    P256.equals(bytesOf(parameters));
  if (!isP256 || point.length !== POINT_BYTES || point[0] !== UNCOMPRESSED) return undefined;
  return Buffer.concat([SPKI_PREFIX, point]);
}

/** Undefined when the point is not on the curve. */
function readPublicKey(spkiDer: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spkiDer), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

function hasProofOfPossession(request: CertificationRequest, publicKey: KeyObject): boolean {
  const digest = SIGNATURE_DIGESTS.get(request.signatureAlgorithm.algorithm);
  const signed = request.certificationRequestInfoRaw;
  if (digest === undefined || signed === undefined) return false;
  return verify(digest, bytesOf(signed), publicKey, bytesOf(request.signature));
}

function bytesOf(buffer: ArrayBuffer): Uint8Array {
  return new Uint8Array(buffer);
}

/** RFC 5758 §3.2. SHA-1 and everything that is no ECDSA is left out. */
const SIGNATURE_DIGESTS = new Map([
  [id_ecdsaWithSHA256, 'sha256'],
  [id_ecdsaWithSHA384, 'sha384'],
  [id_ecdsaWithSHA512, 'sha512'],
]);

/** The object identifier of the named curve P-256 in DER. RFC 5480 §2.1.1.1 */
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
/** A SubjectPublicKeyInfo on P-256, up to its point. RFC 5480 §2 */
const SPKI_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
const UNCOMPRESSED = 0x04;
const POINT_BYTES = 65;
