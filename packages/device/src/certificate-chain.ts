/** Builds the chain from a device's certificate to the trust anchor, out of what EST delivers. @module */
import { X509Certificate, createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { CHAIN_ISSUERS_MAX } from './limits.ts';

/** Reads certificates; undefined when one is malformed. */
export function readCertificates(ders: readonly Uint8Array[]): X509Certificate[] | undefined {
  try {
    return ders.map((der) => new X509Certificate(der));
  } catch {
    return undefined;
  }
}

/** Reads the certificates of a PEM text, in their order; undefined when one is malformed. */
export function readPemCertificates(pem: string): X509Certificate[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/gu) ?? [];
  return readCertificates(blocks.map((block) => Buffer.from(block, 'ascii')));
}

/** PEM of certificates, one after the other. */
export function pemOfChain(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('');
}

/** The certificate whose SHA-256 (DER, base64url) is the pin of a claim: the trust anchor. */
export function findAnchor(
  certificates: readonly X509Certificate[],
  anchorPin: string,
): X509Certificate | undefined {
  return certificates.find(
    ({ raw }) => createHash('sha256').update(raw).digest('base64url') === anchorPin,
  );
}

/** Subject public key info of a certificate or key, DER. */
export function spkiOf(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ format: 'der', type: 'spki' });
}

/**
 * Finds the certificate of `key` and its issuers, each verified with the key of the next and the
 * last with the key of the anchor.
 *
 * @returns the chain without the anchor, leaf first; undefined when there is none
 */
export function chainFor(
  key: KeyObject,
  { pool, anchor }: { pool: readonly X509Certificate[]; anchor: X509Certificate },
): X509Certificate[] | undefined {
  const spki = spkiOf(key);
  const leaf = pool.find(({ publicKey }) => spkiOf(publicKey).equals(spki));
  if (leaf === undefined) return undefined;
  const chain = [leaf];
  let last = leaf;
  while (!isIssuedBy(last, anchor)) {
    const issuer = pool.find((candidate) => candidate.ca && isIssuedBy(last, candidate));
    if (issuer === undefined || chain.length > CHAIN_ISSUERS_MAX) return undefined;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
