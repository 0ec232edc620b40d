/** Names as UUIDs of version 5: vendors and classes of devices. @see RFC 9562 §5.5 @module */
import { createHash } from 'node:crypto';

/**
 * @param namespace - 16 bytes
 * @returns 16 bytes
 */
export function uuid5(namespace: Uint8Array, name: string): Uint8Array {
  // SHA-1 is the standard's; the id is compared, and proves nothing.
  const digest = createHash('sha1').update(namespace).update(name, 'utf8').digest();
  const uuid = new Uint8Array(digest.subarray(0, 16));
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x50;
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80;
  return uuid;
}

/** The id of a vendor by its domain, as SUIT recommends it. */
export function vendorId(domain: string): Uint8Array {
  return uuid5(DNS, domain);
}

/** The id of a class of devices of a vendor. */
export function classId(vendor: Uint8Array, name: string): Uint8Array {
  return uuid5(vendor, name);
}

/** Namespace of domain names. RFC 9562 §6.6 */
const DNS = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex');
