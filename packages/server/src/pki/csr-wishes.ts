/** What a certificate request asks for and does not get, in words for the log. @module */
import type { CertificationRequestInfo } from '@peculiar/asn1-csr';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  type Attribute,
  Extensions,
  type GeneralName,
  type Name,
  SubjectAlternativeName,
  id_ce_subjectAltName,
} from '@peculiar/asn1-x509';

/** Most wishes that are listed, and the most characters of each: a peer chose them. */
export const WISHES_MAX = 16;
export const WISH_CHARACTERS_MAX = 120;

/** Lists subject, alternative names, extensions and attributes of a request. Never throws. */
export function ignoredWishes({ subject, attributes }: CertificationRequestInfo): string[] {
  const wishes = [...subjectWishes(subject), ...attributes.flatMap(attributeWishes)];
  return wishes.slice(0, WISHES_MAX).map(printable);
}

function subjectWishes(subject: Name): string[] {
  return subject.flatMap((part) =>
    part.map(({ type, value }) => `subject ${SHORT_NAMES.get(type) ?? type}=${value.toString()}`),
  );
}

function attributeWishes({ type, values }: Attribute): string[] {
  const [value] = values;
  if (type !== EXTENSION_REQUEST || value === undefined) return [`attribute ${type}`];
  return readable('extensions', () =>
    AsnConvert.parse(value, Extensions).flatMap(({ extnID, extnValue }) =>
      extnID === id_ce_subjectAltName
        ? alternativeNameWishes(extnValue.buffer)
        : [`extension ${extnID}`],
    ),
  );
}

function alternativeNameWishes(der: ArrayBuffer): string[] {
  return readable('subjectAltName', () =>
    AsnConvert.parse(der, SubjectAlternativeName).map((name) => `subjectAltName ${nameText(name)}`),
  );
}

function nameText({
  dNSName,
  iPAddress,
  uniformResourceIdentifier,
  rfc822Name,
}: GeneralName): string {
  if (dNSName !== undefined) return `DNS:${dNSName}`;
  if (iPAddress !== undefined) return `IP:${iPAddress}`;
  if (uniformResourceIdentifier !== undefined) return `URI:${uniformResourceIdentifier}`;
  return rfc822Name === undefined ? 'of another kind' : `email:${rfc822Name}`;
}

/** The list that `read` gives, or a note: what is ignored anyway must not fail a good request. */
function readable(what: string, read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [`${what} (unreadable)`];
  }
}

/** Keeps a peer's text from forging lines of a log or driving a terminal. */
function printable(text: string): string {
  return text.slice(0, WISH_CHARACTERS_MAX).replaceAll(/[^\x20-\x7e]/gu, '?');
}

/** RFC 2985 §5.4.2 */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const SHORT_NAMES = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
]);
