/** Builds and signs certificates: ECDSA on P-256 with SHA-256, and nothing else. @module */
import { X509Certificate, createHash } from 'node:crypto';
import { ecdsaWithSHA256 } from '@peculiar/asn1-ecc';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AuthorityKeyIdentifier,
  type BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  type GeneralName,
  KeyIdentifier,
  KeyUsage,
  type KeyUsageFlags,
  type Name,
  type NameConstraints,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
} from '@peculiar/asn1-x509';
import type { KeyHandle } from '../crypto/index.ts';
import type { RandomBytes } from '../kernel/index.ts';
import { certificatePin } from './pins.ts';

/** What a certificate is to say. */
export interface CertificateTemplate {
  readonly subject: Name;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Uint8Array;
  /** Milliseconds since 1970; the certificate keeps whole seconds, rounded down. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly basicConstraints: BasicConstraints;
  /** A sum of `KeyUsageFlags`. */
  readonly keyUsage: KeyUsageFlags;
  /** Object identifiers of the extended key usage; none leaves the extension out. */
  readonly purposes: readonly string[];
  readonly alternativeNames: readonly GeneralName[];
  readonly nameConstraints?: NameConstraints | undefined;
}

/** Who signs: the name as it stands in the certificate of the issuer, and its key. */
export interface Issuer {
  readonly name: Name;
  readonly key: KeyHandle;
}

/** A signed certificate, with what a registry keeps of it. */
export interface IssuedCertificate {
  readonly der: Uint8Array;
  /** SHA-256 of the DER certificate, lower-case hex. */
  readonly fingerprint: string;
  /** Serial number, lower-case hex. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * Signs a certificate with a fresh serial number that holds 128 random bits.
 * @throws Error when the result does not verify with the key of the issuer: a defect of ours.
 * @see RFC 5280
 */
export function signCertificate(
  template: CertificateTemplate,
  { issuer, random }: { issuer: Issuer; random: RandomBytes },
): IssuedCertificate {
  const notBeforeMs = wholeSeconds(template.notBeforeMs);
  const notAfterMs = wholeSeconds(template.notAfterMs);
  // The leading one keeps the number positive and its DER encoding minimal. RFC 5280 §4.1.2.2
  const serial = Uint8Array.of(1, ...random(SERIAL_RANDOM_BYTES));
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: arrayBuffer(serial),
    signature: ecdsaWithSHA256,
    issuer: issuer.name,
    validity: new Validity({ notBefore: new Date(notBeforeMs), notAfter: new Date(notAfterMs) }),
    subject: template.subject,
    subjectPublicKeyInfo: AsnConvert.parse(template.spki, SubjectPublicKeyInfo),
    extensions: extensionsOf(template, issuer),
  });
  const der = signTbs(tbs, issuer.key);
  return {
    der,
    fingerprint: certificatePin(der),
    serial: Buffer.from(serial).toString('hex'),
    notBeforeMs,
    notAfterMs,
  };
}

/** The name in the subject of a certificate, for those that it issues. */
export function subjectOf(certificateDer: Uint8Array): Name {
  return AsnConvert.parse(certificateDer, Certificate).tbsCertificate.subject;
}

/** A certificate in PEM, with the newline at its end. */
export function certificatePem(der: Uint8Array): string {
  return new X509Certificate(der).toString();
}

/** The SubjectPublicKeyInfo of a key in DER. */
export function spkiOf(key: KeyHandle): Uint8Array {
  return key.publicKey.export({ format: 'der', type: 'spki' });
}

function signTbs(tbs: TBSCertificate, key: KeyHandle): Uint8Array {
  if (key.algorithm !== 'ES256') throw new Error('certificates are signed with ES256 only');
  const signature = key.sign(new Uint8Array(AsnConvert.serialize(tbs)));
  const certificate = new Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: ecdsaWithSHA256,
    signatureValue: arrayBuffer(signature),
  });
  const der = new Uint8Array(AsnConvert.serialize(certificate));
  // What leaves here must verify: an encoding that changed between signing and writing would not.
  if (!new X509Certificate(der).verify(key.publicKey)) {
    throw new Error('a certificate that was just signed does not verify');
  }
  return der;
}

function extensionsOf(template: CertificateTemplate, issuer: Issuer): Extensions {
  const issuerKeyId = new KeyIdentifier(keyIdOf(spkiOf(issuer.key)));
  const extensions = [
    critical(id_ce_basicConstraints, template.basicConstraints),
    critical(id_ce_keyUsage, new KeyUsage(template.keyUsage)),
    plain(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdOf(template.spki))),
    plain(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier: issuerKeyId })),
  ];
  if (template.purposes.length > 0) {
    extensions.push(plain(id_ce_extKeyUsage, new ExtendedKeyUsage([...template.purposes])));
  }
  if (template.alternativeNames.length > 0) {
    const names = new SubjectAlternativeName([...template.alternativeNames]);
    extensions.push(plain(id_ce_subjectAltName, names));
  }
  if (template.nameConstraints !== undefined) {
    extensions.push(critical(id_ce_nameConstraints, template.nameConstraints));
  }
  return new Extensions(extensions);
}

function critical(extnID: string, value: unknown): Extension {
  return new Extension({ extnID, critical: true, extnValue: encoded(value) });
}

function plain(extnID: string, value: unknown): Extension {
  return new Extension({ extnID, extnValue: encoded(value) });
}

function encoded(value: unknown): OctetString {
  return new OctetString(AsnConvert.serialize(value));
}

/** Key identifier: the leftmost 160 bits of SHA-256 over the key bits. RFC 7093 §2, method 1 */
function keyIdOf(spki: Uint8Array): Uint8Array {
  const { subjectPublicKey } = AsnConvert.parse(spki, SubjectPublicKeyInfo);
  const digest = createHash('sha256').update(new Uint8Array(subjectPublicKey)).digest();
  return digest.subarray(0, KEY_ID_BYTES);
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

const SERIAL_RANDOM_BYTES = 16;
const KEY_ID_BYTES = 20;
