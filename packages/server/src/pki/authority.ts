/** The certificate authority of one Holdfast: a root, and issuing authorities below it. @module */
import { X509Certificate } from 'node:crypto';
import type { DeviceId, TenantName } from '@holdfast/protocol';
import { z } from 'zod';
import { type KeyHandle, generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { type Clock, type RandomBytes, Secret } from '../kernel/index.ts';
import {
  type CertificateTemplate,
  type IssuedCertificate,
  type Issuer,
  certificatePem,
  signCertificate,
  spkiOf,
  subjectOf,
} from './certificate.ts';
import { anchorPin } from './pins.ts';
import {
  deviceProfile,
  devicesCaProfile,
  rootProfile,
  serverProfile,
  serversCaProfile,
} from './profiles.ts';

const MemberSchema = z.object({
  /** DER in base64. */
  certificate: z.base64(),
  /** PKCS#8 in DER, in base64. Secret: kept in the sealed store only. */
  key: z.base64(),
});

export const AuthoritySchema = z.object({
  version: z.literal(1),
  root: MemberSchema,
  devices: MemberSchema,
  servers: MemberSchema,
});
/** All that makes an authority, with its private keys: never log it, keep it sealed. */
export type AuthorityMaterial = Readonly<z.infer<typeof AuthoritySchema>>;
type Member = z.infer<typeof MemberSchema>;

/** Time and randomness for issuing. */
export interface IssuingDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** Makes a new authority: root, devices authority, servers authority, each with its own key. */
export function createAuthority({
  clock,
  random,
  tenant,
}: IssuingDeps & { tenant: TenantName }): AuthorityMaterial {
  const nowMs = clock.nowMs();
  const root = newKey();
  const { subject } = rootProfile({ spki: spkiOf(root.key), nowMs }, { tenant });
  const issuer = { name: subject, key: root.key };
  const member = ({ key, pkcs8 }: NewKey, profile: typeof rootProfile): Member => {
    const template = profile({ spki: spkiOf(key), nowMs }, { tenant });
    return saved(signCertificate(template, { issuer, random }), pkcs8);
  };
  return {
    version: 1,
    root: member(root, rootProfile),
    devices: member(newKey(), devicesCaProfile),
    servers: member(newKey(), serversCaProfile),
  };
}

/**
 * Opens a saved authority.
 * @throws Error when the material does not decode; it comes from the sealed store, never a peer.
 */
export function openAuthority(material: AuthorityMaterial, deps: IssuingDeps): Authority {
  return new Authority(material, deps);
}

/** Issues certificates. The root's key is not among what it can use: only issuing keys are. */
export class Authority {
  /** The trust anchor in PEM. */
  readonly anchorPem: string;
  /** SHA-256 of the DER trust anchor, base64url. */
  readonly anchorPin: string;
  readonly root: X509Certificate;
  readonly devicesCa: X509Certificate;
  readonly serversCa: X509Certificate;
  readonly devicesCaPem: string;
  readonly serversCaPem: string;
  /** Root and devices authority, for the TLS context: devices may send their leaf alone. */
  readonly trustAnchorsPem: string;
  readonly #devices: Issuer;
  readonly #servers: Issuer;
  readonly #deps: IssuingDeps;

  constructor({ root, devices, servers }: AuthorityMaterial, deps: IssuingDeps) {
    this.root = readCertificate(root);
    this.devicesCa = readCertificate(devices);
    this.serversCa = readCertificate(servers);
    this.anchorPem = certificatePem(this.root.raw);
    this.anchorPin = anchorPin(this.root.raw);
    this.devicesCaPem = certificatePem(this.devicesCa.raw);
    this.serversCaPem = certificatePem(this.serversCa.raw);
    this.trustAnchorsPem = this.anchorPem + this.devicesCaPem;
    this.#devices = issuerOf(devices);
    this.#servers = issuerOf(servers);
    this.#deps = deps;
  }

  /**
   * Issues the operational certificate of a device.
   * @param spki - the public key, as `parseCsr` gives it: SubjectPublicKeyInfo in DER, P-256.
   * @param lifeMs - from now on; the certificate never outlives the devices authority.
   */
  issueDevice(device: {
    spki: Uint8Array;
    tenant: TenantName;
    deviceId: DeviceId;
    lifeMs: number;
  }): IssuedCertificate {
    const { spki, tenant, deviceId: id, lifeMs } = device;
    const input = { spki, nowMs: this.#deps.clock.nowMs() };
    return this.#issue(deviceProfile(input, { tenant, id, lifeMs }), {
      issuer: this.#devices,
      certificate: this.devicesCa,
    });
  }

  /**
   * Issues a server certificate for host names and IP addresses, valid for 397 days.
   * @throws Fault `E_PKI_NAME` for a name that cannot stand in one.
   */
  issueServer({ spki, names }: { spki: Uint8Array; names: readonly string[] }): IssuedCertificate {
    const input = { spki, nowMs: this.#deps.clock.nowMs() };
    return this.#issue(serverProfile(input, { names }), {
      issuer: this.#servers,
      certificate: this.serversCa,
    });
  }

  #issue(
    template: CertificateTemplate,
    { issuer, certificate }: { issuer: Issuer; certificate: X509Certificate },
  ): IssuedCertificate {
    const notAfterMs = Math.min(template.notAfterMs, certificate.validToDate.getTime());
    return signCertificate({ ...template, notAfterMs }, { issuer, random: this.#deps.random });
  }
}

interface NewKey {
  readonly key: KeyHandle;
  readonly pkcs8: Secret<Uint8Array>;
}

function newKey(): NewKey {
  const pkcs8 = generatePrivateKey('ES256');
  return { pkcs8, key: softwareKeyHandle('ES256', pkcs8) };
}

function saved({ der }: IssuedCertificate, pkcs8: Secret<Uint8Array>): Member {
  return {
    certificate: Buffer.from(der).toString('base64'),
    key: Buffer.from(pkcs8.expose()).toString('base64'),
  };
}

function readCertificate({ certificate }: Member): X509Certificate {
  return new X509Certificate(Buffer.from(certificate, 'base64'));
}

function issuerOf({ certificate, key }: Member): Issuer {
  const pkcs8 = new Secret(Buffer.from(key, 'base64'));
  return {
    name: subjectOf(Buffer.from(certificate, 'base64')),
    key: softwareKeyHandle('ES256', pkcs8),
  };
}
