/** Reads OCSP requests. @see RFC 6960 §4.1 @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { type DerElement, readElements, readOnly, takeTagged } from './der-reader.ts';
import { INTEGER, OBJECT_IDENTIFIER, OCTET_STRING } from './der-values.ts';
import { SEQUENCE } from './der.ts';
import { OCSP_CERTIFICATES_MAX, OCSP_NONCE_BYTES_MAX, OCSP_REQUEST_BYTES_MAX } from './limits.ts';
import type { NamingHash } from './revocation-issuer.ts';

/** Which certificate is asked about. */
export interface OcspCertificateId {
  /** As it came; the answer repeats it. A view. */
  readonly der: Uint8Array;
  /** How issuer name and key are hashed; undefined for a hash that is not known here. */
  readonly hash: NamingHash | undefined;
  /** Lower-case hex. */
  readonly nameHash: string;
  /** Lower-case hex. */
  readonly keyHash: string;
  /** Serial number, lower-case hex. */
  readonly serial: string;
}

/** What is asked. */
export interface OcspRequest {
  /** At least one. */
  readonly certificates: readonly OcspCertificateId[];
  /** The value of the extension, to be repeated as it came; 1 to 128 bytes. */
  readonly nonce: Uint8Array | undefined;
}

/** Reads a request in DER; `E_ENROLL_OCSP` for anything that is none. A signature is ignored. */
export function parseOcspRequest(bytes: Uint8Array): OcspRequest | Refusal {
  const request = bytes.length <= OCSP_REQUEST_BYTES_MAX ? readRequest(bytes) : undefined;
  return request ?? refuse('E_ENROLL_OCSP', `${bytes.length} bytes are no OCSP request`);
}

function readRequest(bytes: Uint8Array): OcspRequest | undefined {
  const parts = sequence(readOnly(bytes, SEQUENCE), 2);
  const tbs = sequence(parts?.shift(), 4);
  if (parts === undefined || tbs === undefined) return undefined;
  takeTagged(parts, CONTEXT_0); // The signature of the one who asks: everybody may.
  const version = takeTagged(tbs, CONTEXT_0);
  takeTagged(tbs, CONTEXT_1); // The name of the one who asks.
  const list = takeTagged(tbs, SEQUENCE);
  const extensions = readExtensions(takeTagged(tbs, CONTEXT_2));
  const isWhole = parts.length === 0 && tbs.length === 0 && isVersion1(version);
  const certificates = sequence(list, OCSP_CERTIFICATES_MAX)?.map(readCertificateId);
  if (!isWhole || extensions === undefined || certificates === undefined) return undefined;
  const known = certificates.filter((certificate) => certificate !== undefined);
  if (known.length === 0 || known.length < certificates.length) return undefined;
  return { certificates: known, nonce: extensions.nonce };
}

/** RFC 6960 §4.1.1: CertID, and extensions of the single request. */
function readCertificateId(request: DerElement): OcspCertificateId | undefined {
  const parts = sequence(request, 2);
  const id = parts?.shift();
  const [algorithm, name, key, serial, ...rest] = sequence(id, 4) ?? [];
  if (parts === undefined || id === undefined || rest.length > 0) return undefined;
  const extensions = readExtensions(takeTagged(parts, CONTEXT_0));
  if (extensions === undefined || parts.length > 0) return undefined;
  const hashId = sequence(algorithm, 2)?.[0];
  const isGood = hashId?.tag === OBJECT_IDENTIFIER && name?.tag === OCTET_STRING;
  if (!isGood || key?.tag !== OCTET_STRING || serial?.tag !== INTEGER) return undefined;
  if (serial.content.length === 0 || serial.content.length > SERIAL_BYTES_MAX) return undefined;
  return {
    der: id.bytes,
    hash: NAMING_HASHES.get(hex(hashId.content)),
    nameHash: hex(name.content),
    keyHash: hex(key.content),
    serial: hex(serial.content),
  };
}

/** Undefined when they are malformed, or one is critical that is not known. RFC 6960 §4.4 */
function readExtensions(tagged: DerElement | undefined): Pick<OcspRequest, 'nonce'> | undefined {
  if (tagged === undefined) return { nonce: undefined };
  const extensions = sequence(readOnly(tagged.content, SEQUENCE), EXTENSIONS_MAX);
  if (extensions === undefined) return undefined;
  let nonce: Uint8Array | undefined;
  for (const extension of extensions) {
    const parts = sequence(extension, 3);
    const id = parts?.shift();
    if (parts === undefined || id?.tag !== OBJECT_IDENTIFIER) return undefined;
    const isCritical = takeTagged(parts, BOOLEAN) !== undefined;
    const value = takeTagged(parts, OCTET_STRING);
    if (value === undefined || parts.length > 0) return undefined;
    if (hex(id.content) === NONCE) {
      const inner = readOnly(value.content, OCTET_STRING)?.content.length ?? 0;
      if (inner === 0 || inner > OCSP_NONCE_BYTES_MAX || nonce !== undefined) return undefined;
      nonce = value.content;
    } else if (isCritical) return undefined;
  }
  return { nonce };
}

function isVersion1(version: DerElement | undefined): boolean {
  return version === undefined || hex(version.content) === '020100';
}

/** What a SEQUENCE consists of; undefined when it is none. */
function sequence(element: DerElement | undefined, countMax: number): DerElement[] | undefined {
  return element?.tag === SEQUENCE ? readElements(element.content, countMax) : undefined;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

const BOOLEAN = 0x01;
const CONTEXT_0 = 0xa0;
const CONTEXT_1 = 0xa1;
const CONTEXT_2 = 0xa2;
const EXTENSIONS_MAX = 8;
/** RFC 5280 §4.1.2.2 */
const SERIAL_BYTES_MAX = 20;
/** 1.3.14.3.2.26 and 2.16.840.1.101.3.4.2.1 */
const NAMING_HASHES = new Map<string, NamingHash>([
  ['2b0e03021a', 'sha1'],
  ['608648016503040201', 'sha256'],
]);
/** 1.3.6.1.5.5.7.48.1.2 */
const NONCE = '2b0601050507300102';
