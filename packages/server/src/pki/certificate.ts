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
  id_ce_cRLDistributionPoints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_pe_authorityInfoAccess,
} from '@peculiar/asn1-x509';
import type { KeyHandle } from '../crypto/index.ts';
import type { RandomBytes } from '../kernel/index.ts';
import { certificatePin } from './pins.ts';
import { distributionPoints, ocspAccess, revocationUrls } from './revocation-urls.ts';

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
  /** False weakens the name constraints, for peers that refuse what they do not know. */
  readonly areConstraintsCritical?: boolean;
  /** Base URL under which the revocation of this certificate is told; none leaves it out. */
  readonly revocationUrl?: string | undefined;
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
  /** Key identifier of the issuer, lower-case hex; see {@link keyIdOf}. */
  readonly issuerKeyId: string;
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
  const serialBytes = Uint8Array.of(1, ...random(SERIAL_RANDOM_BYTES));
  const serial = Buffer.from(serialBytes).toString('hex');
  const issuerKeyId = Buffer.from(keyIdOf(spkiOf(issuer.key))).toString('hex');
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: arrayBuffer(serialBytes),
    signature: ecdsaWithSHA256,
    issuer: issuer.name,
    validity: new Validity({ notBefore: new Date(notBeforeMs), notAfter: new Date(notAfterMs) }),
    subject: template.subject,
    subjectPublicKeyInfo: AsnConvert.parse(template.spki, SubjectPublicKeyInfo),
    extensions: extensionsOf(template, { serial, issuerKeyId }),
  });
  const der = signTbs(tbs, issuer.key);
  return {
    der,
    fingerprint: certificatePin(der),
    serial,
    issuerKeyId,
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

function extensionsOf(
  template: CertificateTemplate,
  { serial, issuerKeyId }: { serial: string; issuerKeyId: string },
): Extensions {
  const keyIdentifier = new KeyIdentifier(Buffer.from(issuerKeyId, 'hex'));
  const extensions = [
    critical(id_ce_basicConstraints, template.basicConstraints),
    critical(id_ce_keyUsage, new KeyUsage(template.keyUsage)),
    plain(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdOf(template.spki))),
    plain(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier })),
  ];
  if (template.purposes.length > 0) {
    extensions.push(plain(id_ce_extKeyUsage, new ExtendedKeyUsage([...template.purposes])));
  }
  if (template.alternativeNames.length > 0) {
    const names = new SubjectAlternativeName([...template.alternativeNames]);
    extensions.push(plain(id_ce_subjectAltName, names));
  }
  if (template.nameConstraints !== undefined) {
    const mark = template.areConstraintsCritical === false ? plain : critical;
    extensions.push(mark(id_ce_nameConstraints, template.nameConstraints));
  }
  if (template.revocationUrl !== undefined) {
    const { crlUrl, ocspUrl } = revocationUrls(template.revocationUrl, { issuerKeyId, serial });
    extensions.push(encodedAlready(id_ce_cRLDistributionPoints, distributionPoints(crlUrl)));
    extensions.push(encodedAlready(id_pe_authorityInfoAccess, ocspAccess(ocspUrl)));
  }
  return new Extensions(extensions);
}

function critical(extnID: string, value: unknown): Extension {
  return new Extension({ extnID, critical: true, extnValue: encoded(value) });
}

function plain(extnID: string, value: unknown): Extension {
  return new Extension({ extnID, extnValue: encoded(value) });
}

function encodedAlready(extnID: string, der: Uint8Array): Extension {
  return new Extension({ extnID, extnValue: new OctetString(arrayBuffer(der)) });
}

function encoded(value: unknown): OctetString {
  return new OctetString(AsnConvert.serialize(value));
}

/**
 * Whether a certificate says what a template says, but for its serial number and its life: the
 * name, the key and every extension to the last bit, and the issuer.
 */
export function saysTheSame(
  certificateDer: Uint8Array,
  template: CertificateTemplate,
  issuer: { readonly name: Name; readonly spki: Uint8Array },
): boolean {
  const { tbsCertificate: found } = AsnConvert.parse(certificateDer, Certificate);
  const serial = Buffer.from(found.serialNumber).toString('hex');
  const issuerKeyId = Buffer.from(keyIdOf(issuer.spki)).toString('hex');
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [found.subject, template.subject],
    [found.issuer, issuer.name],
    [found.subjectPublicKeyInfo, AsnConvert.parse(template.spki, SubjectPublicKeyInfo)],
    [found.extensions, extensionsOf(template, { serial, issuerKeyId })],
  ];
  return pairs.every(([one, other]) => one !== undefined && isSameDer(one, other));
}

function isSameDer(one: unknown, other: unknown): boolean {
  const [left, right] = [one, other].map((value) => Buffer.from(AsnConvert.serialize(value)));
  return left !== undefined && right !== undefined && left.equals(right);
}

/** Key identifier: the leftmost 160 bits of SHA-256 over the key bits. RFC 7093 §2, method 1 */
export function keyIdOf(spki: Uint8Array): Uint8Array {
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
