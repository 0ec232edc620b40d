/**
 * Where a key in a token is: a PKCS #11 URI, and the PEM form of it that OpenSSL reads as a key
 * once pkcs11-provider is loaded.
 * @see RFC 7512
 * @module
 */
import { readDer, readDerAll } from './der-reader.ts';
import { derElement, derSequence, derUtf8, TAG } from './der-writer.ts';

/** A key in a token. */
export interface TokenKeyName {
  /** Label of the token. */
  readonly token: string;
  /** CKA_LABEL of the key: letters, digits and hyphens. */
  readonly object: string;
  /** CKA_ID of the key. */
  readonly id: Uint8Array;
  readonly type: 'private' | 'secret-key';
}

/** Writes the URI. */
export function formatKeyUri({ token, object, id, type }: TokenKeyName): string {
  const bytes = [...id].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`);
  return `pkcs11:token=${escaped(token)};id=${bytes.join('')};object=${escaped(object)};type=${type}`;
}

/** Reads a URI as {@link formatKeyUri} writes it; undefined for any other. */
export function parseKeyUri(text: string): TokenKeyName | undefined {
  const [, token, id = '', object, type] = URI_FORM.exec(text) ?? [];
  if (token === undefined || object === undefined) return undefined;
  if (type !== 'private' && type !== 'secret-key') return undefined;
  try {
    return {
      token: decodeURIComponent(token),
      object: decodeURIComponent(object),
      id: Uint8Array.from(Buffer.from(id.replaceAll('%', ''), 'hex')),
      type,
    };
  } catch {
    return undefined;
  }
}

/** The URI as the PEM text that pkcs11-provider decodes, in place of a private key. */
export function pemOfUri(uri: string): string {
  const description = derElement(VISIBLE_STRING, Buffer.from(DESCRIPTION, 'ascii'));
  const base64 = Buffer.from(derSequence(description, derUtf8(uri))).toString('base64');
  const lines = base64.match(/.{1,64}/gu) ?? [];
  return [`-----BEGIN ${LABEL}-----`, ...lines, `-----END ${LABEL}-----`, ''].join('\n');
}

/** The URI in such a text; undefined when it is none. */
export function uriOfPem(pem: string): string | undefined {
  const [, base64 = ''] = PEM_FORM.exec(pem) ?? [];
  const sequence = readDer(Buffer.from(base64, 'base64'));
  const [description, uri] = readDerAll(sequence?.content ?? new Uint8Array(), 2) ?? [];
  if (description?.tag !== VISIBLE_STRING || uri?.tag !== TAG.utf8String) return undefined;
  if (Buffer.from(description.content).toString('ascii') !== DESCRIPTION) return undefined;
  return Buffer.from(uri.content).toString('utf8');
}

/** RFC 7512 §2.3: `;`, `/`, `?` and `%` among others. encodeURIComponent leaves `!'()*` alone. */
function escaped(text: string): string {
  return encodeURIComponent(text);
}

const LABEL = 'PKCS#11 PROVIDER URI';
const DESCRIPTION = 'PKCS#11 Provider URI v1.0';
const VISIBLE_STRING = 0x1a;
const URI_FORM =
  /^pkcs11:token=([^;]+);id=((?:%[0-9A-F]{2}){1,32});object=([^;]+);type=([a-z-]+)$/u;
const PEM_FORM =
  /^-----BEGIN PKCS#11 PROVIDER URI-----\n([A-Za-z0-9+/=\n]+)-----END PKCS#11 PROVIDER URI-----\n?$/u;
