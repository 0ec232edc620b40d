/** The key of this phone. The browser makes it and never gives it out, not even to this page. @module */
import { base64, base64url, derOfPem, hex, sha256 } from './base64.ts';
import { BIT_STRING, type Bytes, CONTEXT_0, SEQUENCE, ecdsaSignature, element } from './der.ts';

const ES256 = { name: 'ECDSA', hash: 'SHA-256' } as const;
/** Version 1 is written as 0. RFC 2986 §4.1 */
const VERSION_1 = Uint8Array.of(0x02, 0x01, 0x00);
/** RFC 5758 §3.2: 1.2.840.10045.4.3.2, without parameters. */
const ECDSA_WITH_SHA256 = Uint8Array.from([
  0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
]);

/** Makes a key that cannot be exported: a script can use it here, and never take it along. */
export function newAppKey(): Promise<CryptoKeyPair> {
  const isExtractable = false;
  const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
  return crypto.subtle.generateKey(p256, isExtractable, ['sign', 'verify']);
}

/** The request for a certificate of a key, PEM. It has no name: the server gives it. RFC 2986 */
export async function certificateRequest({
  privateKey,
  publicKey,
}: CryptoKeyPair): Promise<string> {
  const spki = new Uint8Array(await crypto.subtle.exportKey('spki', publicKey));
  const info = element(SEQUENCE, VERSION_1, element(SEQUENCE), spki, element(CONTEXT_0));
  const signature = ecdsaSignature(await sign(privateKey, info));
  const bits = element(BIT_STRING, Uint8Array.of(0), signature);
  const der = element(SEQUENCE, info, ECDSA_WITH_SHA256, bits);
  const lines = base64(der).match(/.{1,64}/gu) ?? [];
  const label = 'CERTIFICATE REQUEST';
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Signs a text; r and s, base64url. */
export async function signText(privateKey: CryptoKey, text: string): Promise<string> {
  return base64url(await sign(privateKey, new TextEncoder().encode(text)));
}

/** SHA-256 of a certificate, lower-case hex. */
export async function certificateHash(pem: string): Promise<string> {
  return hex(await sha256(derOfPem(pem)));
}

async function sign(privateKey: CryptoKey, bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(ES256, privateKey, bytes));
}
