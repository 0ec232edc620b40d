/** What a certificate says, and whether another one signed it. RFC 5280 @module */
import { type Element, elementsOf, insideOf, oidText } from './der.ts';

/** A certificate that was read. Nothing in it is believed by that. */
export interface Certificate {
  /** Lower-case hex. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Names as they stand in it, to be compared. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** The common name of who issued it; empty when it has none. */
  readonly issuerName: string;
  /** The URI in its subject alternative name; undefined when it has none, or several. */
  readonly uri: string | undefined;
  /** Whether it may issue others. */
  readonly isAuthority: boolean;
  /** In words, such as `ECDSA P-256`. */
  readonly keyAlgorithm: string;
  readonly publicKey: Uint8Array;
  readonly signed: Uint8Array;
  readonly signatureAlgorithm: string;
  readonly signature: Uint8Array;
}

const CONTEXT_0 = 0xa0;
const EXTENSIONS = 0xa3;
const OCTET_STRING = 0x04;
const URI_NAME = 0x86;
const GENERALIZED_TIME = 0x18;
const TRUE = 0xff;
const OIDS = { commonName: '2.5.4.3', altNames: '2.5.29.17', basic: '2.5.29.19' } as const;

/** Reads a certificate in DER; undefined when it is none. */
export function readCertificate(der: Uint8Array): Certificate | undefined {
  try {
    return certificateOf(der);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function certificateOf(der: Uint8Array): Certificate {
  const [signed, algorithm, signature] = insideOf(der);
  const all = elementsOf(have(signed).content);
  const fields = all[0]?.tag === CONTEXT_0 ? all.slice(1) : all;
  const [serial, , issuer, validity, subject, key] = fields.map(({ content }) => content);
  const [notBefore, notAfter] = elementsOf(have(validity));
  const extensions = extensionsOf(all.find(({ tag }) => tag === EXTENSIONS));
  return {
    serial: have(serial)
      .toHex()
      .replace(/^00(?=.)/u, ''),
    notBeforeMs: timeOf(have(notBefore)),
    notAfterMs: timeOf(have(notAfter)),
    issuer: have(issuer),
    subject: have(subject),
    issuerName: commonNameOf(have(issuer)),
    uri: uriOf(extensions.get(OIDS.altNames)),
    isAuthority: isAuthority(extensions.get(OIDS.basic)),
    keyAlgorithm: keyAlgorithmOf(have(key)),
    publicKey: have(fields[5]).whole,
    signed: have(signed).whole,
    signatureAlgorithm: oidText(have(elementsOf(have(algorithm).content)[0]).content),
    // The first byte says how many bits at the end do not count: none.
    signature: have(signature).content.subarray(1),
  };
}

function extensionsOf(element: Element | undefined): ReadonlyMap<string, Uint8Array> {
  if (element === undefined) return new Map();
  return new Map(
    insideOf(element.content).map((extension) => {
      const [id, ...rest] = elementsOf(extension.content);
      const value = rest.find(({ tag }) => tag === OCTET_STRING);
      return [oidText(have(id).content), have(value).content];
    }),
  );
}

function uriOf(value: Uint8Array | undefined): string | undefined {
  const names = value === undefined ? [] : insideOf(value).filter(({ tag }) => tag === URI_NAME);
  const [uri] = names;
  return names.length === 1 && uri ? new TextDecoder().decode(uri.content) : undefined;
}

function isAuthority(value: Uint8Array | undefined): boolean {
  return value !== undefined && insideOf(value)[0]?.content[0] === TRUE;
}

function commonNameOf(name: Uint8Array): string {
  for (const part of elementsOf(name)) {
    for (const attribute of elementsOf(part.content)) {
      const [id, value] = elementsOf(attribute.content);
      if (id && value && oidText(id.content) === OIDS.commonName) {
        return new TextDecoder().decode(value.content);
      }
    }
  }
  return '';
}

/** RFC 5280 §4.1.2.5: the year has two digits until 2049, and four from then on. */
function timeOf({ tag, content }: Element): number {
  const text = new TextDecoder().decode(content);
  const isLong = tag === GENERALIZED_TIME;
  const found = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/u.exec(text);
  const [year = Number.NaN, month = 1, ...rest] = found?.slice(1).map(Number) ?? [];
  const century = isLong ? 0 : year < 50 ? 2_000 : 1_900;
  const ms = Date.UTC(century + year, month - 1, ...rest);
  if (Number.isNaN(ms)) throw new RangeError('no time of a certificate');
  return ms;
}

const CURVES: Readonly<Record<string, string>> = {
  '1.2.840.10045.3.1.7': 'P-256',
  '1.3.132.0.34': 'P-384',
  '1.3.132.0.35': 'P-521',
};

function keyAlgorithmOf(key: Uint8Array): string {
  const [algorithm] = elementsOf(key);
  const [id, parameter] = elementsOf(have(algorithm).content);
  const oid = oidText(have(id).content);
  if (oid === '1.3.101.112') return 'Ed25519';
  if (oid === '1.2.840.113549.1.1.1') return 'RSA';
  if (oid !== '1.2.840.10045.2.1' || parameter === undefined) return oid;
  const curve = oidText(parameter.content);
  return `ECDSA ${CURVES[curve] ?? curve}`;
}

/** How signatures are checked, by the object identifier of their algorithm. RFC 5758, RFC 8410 */
const SIGNATURES: Readonly<Record<string, { readonly hash: string; readonly curve: string }>> = {
  '1.2.840.10045.4.3.2': { hash: 'SHA-256', curve: 'P-256' },
  '1.2.840.10045.4.3.3': { hash: 'SHA-384', curve: 'P-384' },
};
const CURVE_BYTES: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48 };

/** Whether `issuer` may issue, is named as the issuer, and signed it. */
export async function isIssuedBy(
  certificate: Certificate,
  issuer: Certificate | undefined,
): Promise<boolean> {
  const { signed, signature } = certificate;
  const algorithm = SIGNATURES[certificate.signatureAlgorithm];
  if (issuer?.isAuthority !== true || algorithm === undefined) return false;
  if (certificate.issuer.toHex() !== issuer.subject.toHex()) return false;
  const { hash, curve } = algorithm;
  try {
    const kind = { name: 'ECDSA', namedCurve: curve };
    const spki = Uint8Array.from(issuer.publicKey);
    const key = await crypto.subtle.importKey('spki', spki, kind, false, ['verify']);
    const raw = rawSignature(signature, CURVE_BYTES[curve] ?? 0);
    return await crypto.subtle.verify({ name: 'ECDSA', hash }, key, raw, Uint8Array.from(signed));
  } catch (error) {
    // A key of another kind, or bytes that are no signature: it was not signed with this key.
    if (error instanceof DOMException || error instanceof RangeError) return false;
    throw error;
  }
}

/** The signature of X.509 as WebCrypto takes it: r and s, each as long as the curve. */
function rawSignature(der: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const raw = new Uint8Array(2 * length);
  insideOf(der).forEach(({ content }, at) => {
    const digits = content.subarray(Math.max(0, content.length - length));
    raw.set(digits, (at + 1) * length - digits.length);
  });
  return raw;
}

function have<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('a part of the certificate is missing');
  return value;
}
