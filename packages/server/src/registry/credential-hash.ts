/** How bearer credentials are kept: as hashes only. @module */
import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * SHA-256 of a random credential, lower-case hex. No salt and no stretching: the credentials have
 * 80 bits of randomness or more. Looking one up by this hash tells an attacker nothing through
 * timing, because nobody can steer towards a wanted hash.
 */
export function credentialHash(credential: string): string {
  return createHash('sha256').update(credential, 'utf8').digest('hex');
}

/** Compares two hashes in hex without telling through timing where they differ. */
export function hashesAreEqual(one: string, other: string): boolean {
  const oneBytes = Buffer.from(one, 'hex');
  const otherBytes = Buffer.from(other, 'hex');
  return oneBytes.length === otherBytes.length && timingSafeEqual(oneBytes, otherBytes);
}
