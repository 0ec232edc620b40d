/** An authority in its role as the one who says what it has revoked. @module */
import { type X509Certificate, createHash } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { SubjectPublicKeyInfo } from '@peculiar/asn1-x509';
import type { KeyHandle } from '../crypto/index.ts';
import { keyIdOf, spkiOf, subjectOf } from './certificate.ts';
import { ECDSA_WITH_SHA256, bitString } from './der-values.ts';
import { SEQUENCE, element } from './der.ts';
import { issuerLabel } from './revocation-urls.ts';

/** A hash by which OCSP clients name an issuer; it finds, and protects nothing. */
export type NamingHash = 'sha1' | 'sha256';

/** Who signs revocation lists and OCSP answers. */
export interface RevocationIssuer {
  /** Key identifier, lower-case hex. */
  readonly keyId: string;
  /** How it is called in paths. */
  readonly label: string;
  /** Its subject in DER: the issuer of its certificates. */
  readonly nameDer: Uint8Array;
  /** SHA-1 of its key bits: how an OCSP answer names its signer. RFC 6960 §4.2.1 */
  readonly responderKeyHash: Uint8Array;
  /** Whether an OCSP client means this issuer, by the hashes of its name and key in hex. */
  isNamedBy(by: { hash: NamingHash; nameHash: string; keyHash: string }): boolean;
  /** `SEQUENCE { tbs, signatureAlgorithm, signature }`. */
  signed(tbs: Uint8Array): Uint8Array;
}

/**
 * Prepares an authority for signing.
 * @throws Error when its key is none for ES256: nothing else is issued here.
 */
export function revocationIssuer(authority: {
  readonly certificate: X509Certificate;
  readonly key: KeyHandle;
}): RevocationIssuer {
  const { certificate, key } = authority;
  if (key.algorithm !== 'ES256') throw new Error('revocation lists are signed with ES256 only');
  const spki = spkiOf(key);
  const nameDer = new Uint8Array(AsnConvert.serialize(subjectOf(certificate.raw)));
  const { subjectPublicKey } = AsnConvert.parse(spki, SubjectPublicKeyInfo);
  const keyBits = new Uint8Array(subjectPublicKey);
  const keyId = Buffer.from(keyIdOf(spki)).toString('hex');
  const names = { sha1: hashes('sha1'), sha256: hashes('sha256') };
  return {
    keyId,
    label: issuerLabel(keyId),
    nameDer,
    responderKeyHash: Buffer.from(names.sha1.keyHash, 'hex'),
    isNamedBy: ({ hash, nameHash, keyHash }) =>
      names[hash].nameHash === nameHash && names[hash].keyHash === keyHash,
    signed: (tbs) => element(SEQUENCE, tbs, ECDSA_WITH_SHA256, bitString(key.sign(tbs))),
  };

  function hashes(hash: NamingHash): { nameHash: string; keyHash: string } {
    const of = (bytes: Uint8Array): string => createHash(hash).update(bytes).digest('hex');
    return { nameHash: of(nameDer), keyHash: of(keyBits) };
  }
}
