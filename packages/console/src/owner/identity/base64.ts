/** Base64, in its two alphabets. RFC 4648 @module */
import type { Bytes } from './der.ts';

export function base64(bytes: Bytes): string {
  return btoa(String.fromCodePoint(...bytes));
}

export function base64url(bytes: Bytes): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The first certificate of a PEM text, DER. */
export function derOfPem(pem: string): Bytes {
  const body = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/u.exec(pem)?.[1];
  if (body === undefined) throw new Error('there is no certificate in the text');
  return Uint8Array.from(atob(body.replaceAll(/\s/gu, '')), (sign) => sign.codePointAt(0) ?? 0);
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

export function hex(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
