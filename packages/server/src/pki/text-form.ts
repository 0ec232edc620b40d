/** The forms in which a certificate request travels: DER, PEM, base64. @module */
import { SEQUENCE } from './der.ts';

/**
 * Gives the DER inside a body: raw DER, one PEM block, or base64 in one line or wrapped.
 * @returns undefined when the body is none of these. What is returned is not parsed yet.
 * @see RFC 7030 §4.2.1, RFC 8951 §3.1 (white space in base64), RFC 7468 §7
 */
export function decodeTextForm(body: Uint8Array): Uint8Array | undefined {
  // No base64 of a SEQUENCE begins with this byte, the digit zero: it begins with "M".
  if (body[0] === SEQUENCE) return body;
  const text = Buffer.from(body).toString('latin1').trim();
  return decodeBase64(PEM.exec(text)?.[2] ?? text);
}

/** Strict about the alphabet and the padding, which `Buffer.from` is not. */
function decodeBase64(text: string): Uint8Array | undefined {
  const digits = text.replaceAll(/[ \t\r\n]/gu, '');
  const bytes = Buffer.from(digits, 'base64');
  return bytes.length > 0 && bytes.toString('base64') === digits ? bytes : undefined;
}

const PEM =
  /^-----BEGIN ((?:NEW )?CERTIFICATE REQUEST)-----\r?\n([A-Za-z0-9+/=\s]*)-----END \1-----$/u;
