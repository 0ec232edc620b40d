/**
 * Certificates that manufacturers put into devices (IDevID), and the authorities behind them.
 * OpenSSL checks names and signatures; what is parsed here was verified before.
 * @see IEEE 802.1AR, RFC 7030 §3.3.2
 * @module
 */
import { type KeyObject, X509Certificate, createHash } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Certificate } from '@peculiar/asn1-x509';
import { IDEVID_SERIAL_CHARACTERS_MAX, MANUFACTURER_CERTIFICATES_MAX } from './limits.ts';

/** A manufacturer whose authorities are trusted to tell its devices apart. */
export interface TrustedManufacturer {
  readonly name: string;
  /** The authorities that issue to devices, each trusted by itself. */
  readonly certificates: readonly X509Certificate[];
}

/** What an IDevID says of its device. */
export interface Idevid {
  readonly manufacturer: string;
  /** The attribute serialNumber of the subject; undefined when there is not exactly one. */
  readonly serial: string | undefined;
  /** Serial number of the certificate, lower-case hex without leading zeros. */
  readonly certificateSerial: string;
}

/**
 * Checks an IDevID whose key the peer has proven to hold. It has to be issued by one of the given
 * authorities itself: a chain that the peer sends along is not looked at.
 * @returns what it says, or `E_ENROLL_IDEVID`.
 */
export function checkIdevid(
  peer: X509Certificate,
  { manufacturers, nowMs }: { manufacturers: readonly TrustedManufacturer[]; nowMs: number },
): Idevid | Refusal {
  const found = issuerAmong(manufacturers, peer);
  if (found === undefined) return no('no manufacturer that is registered here issued it');
  const { name, issuer } = found;
  if (!isValidAt(peer, nowMs)) return no(`it counts from ${peer.validFrom} to ${peer.validTo}`);
  if (!isValidAt(issuer, nowMs)) return no(`the authority of ${name} ended ${issuer.validTo}`);
  if (peer.ca) return no('it is the certificate of an authority');
  if (!isForClients(peer)) return no('it is not for client authentication');
  if (weaknessOf(peer.publicKey) !== undefined) return no('its key is too weak');
  if (!SIGNATURES.has(peer.signatureAlgorithm ?? '')) {
    return no(`it is signed with ${peer.signatureAlgorithm ?? 'an unknown algorithm'}`);
  }
  return {
    manufacturer: name,
    serial: subjectSerialOf(peer),
    certificateSerial: normalSerial(peer.serialNumber),
  };
}

/**
 * Reads the authorities of a manufacturer out of a PEM text.
 * @returns 1 to `MANUFACTURER_CERTIFICATES_MAX` of them, or `E_OPERATE_INPUT`.
 */
export function parseManufacturerPem(pem: string): readonly X509Certificate[] | Refusal {
  const blocks = pem.match(PEM_BLOCKS) ?? [];
  if (blocks.length === 0) return input('It holds no certificate in PEM.');
  if (blocks.length > MANUFACTURER_CERTIFICATES_MAX) {
    return input(`It holds more than ${MANUFACTURER_CERTIFICATES_MAX} certificates.`);
  }
  const certificates: X509Certificate[] = [];
  for (const block of blocks) {
    const certificate = readCertificate(block);
    if (certificate === undefined) return input('One of its certificates cannot be read.');
    const { subject } = certificate;
    if (!certificate.ca) return input(`${oneLine(subject)} is no authority (CA:TRUE).`);
    const weakness = weaknessOf(certificate.publicKey);
    if (weakness !== undefined) return input(`The key of ${oneLine(subject)} is ${weakness}.`);
    certificates.push(certificate);
  }
  return certificates;
}

/** A serial number in hex as it is compared: lower case, without colons and leading zeros. */
export function normalSerial(hex: string): string {
  return hex
    .toLowerCase()
    .replaceAll(':', '')
    .replace(/^0+(?=.)/u, '');
}

/** SHA-256 of the SubjectPublicKeyInfo of a certificate, lower-case hex. */
export function spkiHashOf({ publicKey }: X509Certificate): string {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(spki).digest('hex');
}

function issuerAmong(
  manufacturers: readonly TrustedManufacturer[],
  peer: X509Certificate,
): { name: string; issuer: X509Certificate } | undefined {
  for (const { name, certificates } of manufacturers) {
    for (const issuer of certificates) {
      // The first asks for the name, the key identifier and the right to sign certificates.
      if (peer.checkIssued(issuer) && peer.verify(issuer.publicKey)) return { name, issuer };
    }
  }
  return undefined;
}

function isValidAt({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return nowMs >= validFromDate.getTime() && nowMs <= validToDate.getTime();
}

/** Without an extended key usage, as IEEE 802.1AR has it, a certificate is for every purpose. */
function isForClients({ keyUsage }: { readonly keyUsage?: readonly string[] }): boolean {
  return keyUsage === undefined || keyUsage.includes(CLIENT_AUTHENTICATION);
}

function weaknessOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType === 'ed25519' || asymmetricKeyType === 'ed448') return undefined;
  if (asymmetricKeyType === 'ec') {
    const curve = asymmetricKeyDetails?.namedCurve ?? '';
    return CURVES.has(curve) ? undefined : `on the curve ${curve}`;
  }
  if (asymmetricKeyType !== 'rsa' && asymmetricKeyType !== 'rsa-pss') return 'of an unknown kind';
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  return bits >= RSA_BITS_MIN ? undefined : `RSA of ${bits} bits`;
}

function subjectSerialOf(peer: X509Certificate): string | undefined {
  const { subject } = AsnConvert.parse(peer.raw, Certificate).tbsCertificate;
  const found = subject.flatMap((part) => part.filter(({ type }) => type === SERIAL_NUMBER));
  const [attribute] = found;
  const serial = attribute?.value.toString() ?? '';
  const isText = PRINTABLE.test(serial) && serial.length <= IDEVID_SERIAL_CHARACTERS_MAX;
  return found.length === 1 && isText ? serial : undefined;
}

function readCertificate(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}

function no(detail: string): Refusal {
  return refuse('E_ENROLL_IDEVID', detail);
}

function input(detail: string): Refusal {
  return refuse('E_OPERATE_INPUT', detail);
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ').slice(0, SUBJECT_CHARACTERS_MAX);
}

/** RFC 5280 §4.2.1.12 */
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
/** RFC 4519 §2.31 */
const SERIAL_NUMBER = '2.5.4.5';
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const RSA_BITS_MIN = 2_048;
/** As OpenSSL calls them; SHA-1 and older are left out. */
const SIGNATURES: ReadonlySet<string> = new Set([
  'ecdsa-with-SHA256',
  'ecdsa-with-SHA384',
  'ecdsa-with-SHA512',
  'sha256WithRSAEncryption',
  'sha384WithRSAEncryption',
  'sha512WithRSAEncryption',
  'ED25519',
  'ED448',
]);
const PRINTABLE = /^[\x20-\x7e]+$/u;
const PEM_BLOCKS = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/gu;
const SUBJECT_CHARACTERS_MAX = 120;
