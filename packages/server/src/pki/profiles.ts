/** What each kind of certificate says: the certificate profiles of Holdfast, as data. @module */
import { isIP } from 'node:net';
import { type AppId, type DeviceId, type TenantName, appUrn, deviceUrn } from '@holdfast/protocol';
import {
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  KeyUsageFlags,
  Name,
  NameConstraints,
  RelativeDistinguishedName,
  id_kp_clientAuth,
  id_kp_serverAuth,
} from '@peculiar/asn1-x509';
import { Fault } from '../kernel/index.ts';
import type { IssuingRole } from './authority-material.ts';
import type { CertificateTemplate } from './certificate.ts';

/** The public key of a certificate and the time from which it counts. */
export interface ProfileInput {
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Uint8Array;
  readonly nowMs: number;
}

/** The trust anchor: 20 years, signs issuing authorities only. */
export function rootProfile(
  { spki, nowMs }: ProfileInput,
  { tenant }: { tenant: TenantName },
): CertificateTemplate {
  return {
    ...authority({ spki, nowMs }),
    subject: commonName(`Holdfast ${tenant} root`),
    notAfterMs: nowMs + ROOT_LIFE_MS,
    basicConstraints: new BasicConstraints({ cA: true, pathLenConstraint: 1 }),
  };
}

/** Which generation of whose issuing authorities. */
export interface GenerationName {
  readonly tenant: TenantName;
  /** Counts from 1; it stands in the subject, because some clients find issuers by name alone. */
  readonly generation: number;
}

/**
 * The issuing authorities of a generation. Those of devices and of apps can never name a host,
 * whoever holds their keys. They cannot be confined to our URNs: the URI constraints of RFC 5280
 * look at hosts, and a URN has none.
 */
export const ISSUING_PROFILES: Readonly<
  Record<IssuingRole, (input: ProfileInput, name: GenerationName) => CertificateTemplate>
> = {
  devices: (input, name) => clientsCa(input, `devices ${name.generation}`, name.tenant),
  apps: (input, name) => clientsCa(input, `apps ${name.generation}`, name.tenant),
  servers: (input, { tenant, generation }) => ({
    ...authority(input),
    subject: commonName(`Holdfast ${tenant} servers ${generation}`),
    purposes: [id_kp_serverAuth],
    // No URI at all: OpenSSL finds our URNs in breach of any URI constraint. Devices see this
    // certificate, and mbed TLS refuses a critical constraint, hence the weaker form.
    nameConstraints: new NameConstraints({ excludedSubtrees: subtrees(ANY_URI) }),
    areConstraintsCritical: false,
  }),
};

function clientsCa(input: ProfileInput, what: string, tenant: TenantName): CertificateTemplate {
  return {
    ...authority(input),
    subject: commonName(`Holdfast ${tenant} ${what}`),
    purposes: [id_kp_clientAuth],
    nameConstraints: new NameConstraints({ excludedSubtrees: subtrees(...ALL_HOSTS) }),
    // EST clients get this certificate, and strongSwan refuses critical ones with addresses.
    areConstraintsCritical: false,
  };
}

/** The operational certificate of a device: one URI names it, and it is for clients only. */
export function deviceProfile(
  input: ProfileInput,
  device: { tenant: TenantName; id: DeviceId; lifeMs: number },
): CertificateTemplate {
  const urn = deviceUrn(device.tenant, device.id);
  return {
    ...leaf(input, device.lifeMs),
    subject: deviceSubject(device.id),
    purposes: [id_kp_clientAuth],
    alternativeNames: [new GeneralName({ uniformResourceIdentifier: urn })],
  };
}

/** The certificate of an owner's app, or of a person's client: one URI names it. */
export function appProfile(
  input: ProfileInput,
  app: { tenant: TenantName; id: AppId; lifeMs: number },
): CertificateTemplate {
  return {
    ...leaf(input, app.lifeMs),
    subject: commonName('Holdfast app'),
    purposes: [id_kp_clientAuth],
    alternativeNames: [new GeneralName({ uniformResourceIdentifier: appUrn(app.tenant, app.id) })],
  };
}

/**
 * The certificate of this server's listeners.
 * @param names - host names and IP addresses, at least one.
 * @throws Fault `E_PKI_NAME` when a name is neither.
 */
export function serverProfile(
  input: ProfileInput,
  { names }: { names: readonly string[] },
): CertificateTemplate {
  if (names.length === 0) throw nameFault('(none)');
  return {
    ...leaf(input, SERVER_LIFE_MS),
    subject: commonName('Holdfast server'),
    purposes: [id_kp_serverAuth],
    alternativeNames: names.map(hostName),
  };
}

/** Life of a server certificate, in milliseconds: the most that browsers took when this was set. */
export const SERVER_LIFE_MS: number = 397 * 86_400_000;

function authority({ spki, nowMs }: ProfileInput): CertificateTemplate {
  return {
    subject: new Name(),
    spki,
    notBeforeMs: nowMs - BACKDATE_MS,
    notAfterMs: nowMs + ISSUING_LIFE_MS,
    basicConstraints: new BasicConstraints({ cA: true, pathLenConstraint: 0 }),
    keyUsage: KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
    purposes: [],
    alternativeNames: [],
  };
}

function leaf({ spki, nowMs }: ProfileInput, lifeMs: number): CertificateTemplate {
  return {
    subject: new Name(),
    spki,
    notBeforeMs: nowMs - BACKDATE_MS,
    notAfterMs: nowMs + lifeMs,
    basicConstraints: new BasicConstraints({ cA: false }),
    keyUsage: KeyUsageFlags.digitalSignature,
    purposes: [],
    alternativeNames: [],
  };
}

function subtrees(...bases: readonly Partial<GeneralName>[]): GeneralSubtrees {
  return new GeneralSubtrees(
    bases.map((base) => new GeneralSubtree({ base: new GeneralName(base) })),
  );
}

/**
 * The name for people to read; nothing decides by it. OpenSSL takes a common name with a dot for a
 * host name, which the devices authority may not give: such an id stands as a user id instead.
 */
function deviceSubject(id: DeviceId): Name {
  return id.includes('.') ? nameOf(USER_ID, id) : commonName(id);
}

function commonName(text: string): Name {
  return nameOf(COMMON_NAME, text);
}

function nameOf(type: string, text: string): Name {
  const value = new AttributeValue({ utf8String: text });
  const attribute = new AttributeTypeAndValue({ type, value });
  return new Name([new RelativeDistinguishedName([attribute])]);
}

function hostName(name: string): GeneralName {
  const version = isIP(name);
  if (version === 4) return new GeneralName({ iPAddress: name });
  if (version === 6) return new GeneralName({ iPAddress: plainIpv6(name) });
  if (name.length > DNS_NAME_CHARACTERS_MAX || !DNS_NAME.test(name)) throw nameFault(name);
  return new GeneralName({ dNSName: name });
}

/** An IPv6 address in hexadecimal groups only: the ASN.1 library misreads `::ffff:192.0.2.1`. */
function plainIpv6(address: string): string {
  const url = URL.parse(`http://[${address}]`);
  if (url === null) throw nameFault(address);
  return url.hostname.slice(1, -1);
}

function nameFault(name: string): Fault {
  return new Fault({
    code: 'E_PKI_NAME',
    what: `A server certificate cannot be made for the name ${name}.`,
    fix: 'Give host names (a-z, 0-9, "-", ".") or IP addresses by which devices reach this server.',
  });
}

/** Every DNS name and every IPv4 and IPv6 address. RFC 5280 §4.2.1.10 */
const ALL_HOSTS = [{ dNSName: '' }, { iPAddress: '0.0.0.0/0' }, { iPAddress: '::/0' }];
const ANY_URI = { uniformResourceIdentifier: '' };
const DAY_MS = 86_400_000;
const ROOT_LIFE_MS = 20 * 365 * DAY_MS;
const ISSUING_LIFE_MS = 10 * 365 * DAY_MS;
/** A peer's clock may be behind by this much when it first sees a new certificate. */
const BACKDATE_MS = 60_000;
const COMMON_NAME = '2.5.4.3';
/** RFC 4519 §2.39 */
const USER_ID = '0.9.2342.19200300.100.1.1';
const DNS_NAME_CHARACTERS_MAX = 253;
const DNS_LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const DNS_NAME = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`, 'u');
