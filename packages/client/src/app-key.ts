/** The key of an owner's app, and the request for its certificate. @see RFC 2986 @module */
import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto';

/** A new key, which leaves the app never, and the request that it signs. */
export interface AppKey {
  /** PKCS#8, PEM. Secret. */
  readonly keyPem: string;
  /** PKCS#10, PEM. */
  readonly csrPem: string;
}

/** Makes a key on P-256 with its request. */
export function newAppKey(): AppKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    csrPem: requestPem(privateKey, publicKey),
  };
}

/** A request without a name: the server gives the name. */
function requestPem(privateKey: KeyObject, publicKey: KeyObject): string {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  // Version 1 is written as 0; then the empty subject, the key, and no attributes.
  const info = element(SEQUENCE, VERSION_1, element(SEQUENCE), spki, element(CONTEXT_0));
  const signature = element(BIT_STRING, Uint8Array.of(0), sign('sha256', info, privateKey));
  const der = element(SEQUENCE, info, ECDSA_WITH_SHA256, signature);
  const lines = der.toString('base64').match(/.{1,64}/gu) ?? [];
  const label = 'CERTIFICATE REQUEST';
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** ITU-T X.690: tag, length in its shortest form, content of less than 65,536 bytes. */
function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), body]);
}

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
const CONTEXT_0 = 0xa0;
const VERSION_1 = Buffer.from('020100', 'hex');
/** RFC 5758 §3.2: 1.2.840.10045.4.3.2, without parameters. */
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
