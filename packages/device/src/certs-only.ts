/** Reads the certs-only message of EST: PKCS#7 without content or signatures. @module */
import { readDer, readDerAll } from './der-reader.ts';
import { TAG, derOid } from './der-writer.ts';
import { ANSWER_BYTES_MAX, CERTIFICATES_MAX } from './limits.ts';

/**
 * Reads a certs-only message. Nothing is verified: the caller decides what to believe.
 *
 * @param base64 - body of an EST answer; line breaks are allowed
 * @returns the certificates as DER, in the order of the message, or undefined when it is none
 * @see RFC 7030 §4.1.3, RFC 5652 §5.1
 */
export function readCertsOnly(base64: string): Uint8Array[] | undefined {
  if (base64.length > ANSWER_BYTES_MAX) return undefined;
  const text = base64.replaceAll(/[\r\n\t ]/gu, '');
  if (!BASE64.test(text)) return undefined;
  const message = Buffer.from(text, 'base64');
  const content = signedDataOf(message);
  const parts = content === undefined ? undefined : readDerAll(content, SIGNED_DATA_PARTS_MAX);
  if (parts === undefined) return undefined;
  // SignedData: version, digestAlgorithms, encapContentInfo, then the optional [0] certificates.
  const [version, digests, encapsulated, certificates] = parts;
  if (version?.tag !== TAG.integer || digests?.tag !== TAG.set) return undefined;
  if (encapsulated?.tag !== TAG.sequence || certificates?.tag !== TAG.context0) return undefined;
  const found = readDerAll(certificates.content, CERTIFICATES_MAX);
  if (found === undefined || found.length === 0) return undefined;
  return found.every(({ tag }) => tag === TAG.sequence)
    ? found.map(({ bytes }) => bytes)
    : undefined;
}

/** Content of the SignedData in a ContentInfo that is nothing else. */
function signedDataOf(message: Uint8Array): Uint8Array | undefined {
  const info = readDer(message);
  if (info?.tag !== TAG.sequence || info.bytes.length !== message.length) return undefined;
  const [type, explicit, ...rest] = readDerAll(info.content, 2) ?? [];
  if (type === undefined || explicit?.tag !== TAG.context0 || rest.length > 0) return undefined;
  if (!Buffer.from(SIGNED_DATA).equals(type.bytes)) return undefined;
  const signedData = readDer(explicit.content);
  if (signedData?.tag !== TAG.sequence) return undefined;
  return signedData.bytes.length === explicit.content.length ? signedData.content : undefined;
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/u;
const SIGNED_DATA = derOid('1.2.840.113549.1.7.2');
/** Version, digests, content, certificates, CRLs, signers. RFC 5652 §5.1 */
const SIGNED_DATA_PARTS_MAX = 6;
