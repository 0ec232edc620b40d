/** Keys for HMAC-SHA256, in memory or in a token. @module */
import { KeyObject, createHmac } from 'node:crypto';

/** A key that is used where it is and cannot be read. */
export interface TokenMacKey {
  /** @returns the 32 bytes of HMAC-SHA256 over `data`. RFC 2104 */
  hmacSha256(data: Uint8Array): Uint8Array;
}

/** The key that signs what a device sends. */
export type MacKey = KeyObject | TokenMacKey;

/** HMAC-SHA256 over `data`, as lower-case hexadecimal digits. */
export function hmacSha256Hex(key: MacKey, data: Uint8Array): string {
  if (key instanceof KeyObject) return createHmac('sha256', key).update(data).digest('hex');
  return Buffer.from(key.hmacSha256(data)).toString('hex');
}

/** HMAC-SHA256 over `data`, 32 bytes. */
export function hmacSha256(key: MacKey, data: Uint8Array): Uint8Array {
  if (key instanceof KeyObject) return createHmac('sha256', key).update(data).digest();
  return key.hmacSha256(data);
}
