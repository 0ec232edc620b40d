/** The certificate authority of one Holdfast: a root, and issuing authorities below it. @module */
import { X509Certificate } from 'node:crypto';
import type { AppId, DeviceId, TenantName } from '@holdfast/protocol';
import { type KeyCustody, type KeyHandle, softwareCustody } from '../crypto/index.ts';
import {
  type AuthorityMaterial,
  type Generation,
  type GenerationState,
  ISSUING_ROLES,
  type IssuingRole,
} from './authority-material.ts';
import {
  type CertificateTemplate,
  type IssuedCertificate,
  type Issuer,
  certificatePem,
  keyIdOf,
  signCertificate,
  subjectOf,
} from './certificate.ts';
import { type IssuingDeps, derOf } from './generations.ts';
import { anchorPin } from './pins.ts';
import { appProfile, deviceProfile, serverProfile } from './profiles.ts';

/** The public half of an issuing authority. */
export interface IssuingAuthority {
  readonly role: IssuingRole;
  /** Number of its generation. */
  readonly generation: number;
  readonly state: GenerationState;
  readonly certificate: X509Certificate;
  /** Subject key identifier, lower-case hex: what it issued names it by this. */
  readonly keyId: string;
}

/** An authority that signs. */
export interface SigningAuthority {
  readonly certificate: X509Certificate;
  /** Its subject, decoded once: as it stands in what it issues. */
  readonly name: Issuer['name'];
  readonly key: KeyHandle;
}

/**
 * Opens a saved authority. `custody` holds the keys that are not in the material itself.
 * @throws Error when the material does not decode; it comes from the sealed store, never a peer.
 */
export function openAuthority(
  material: AuthorityMaterial,
  deps: IssuingDeps & { readonly custody?: KeyCustody | undefined },
): Authority {
  return new Authority(material, deps);
}

/** Issues certificates. The root's key is not among what it can use: only issuing keys are. */
export class Authority {
  /** The trust anchor in PEM. */
  readonly anchorPem: string;
  /** SHA-256 of the DER trust anchor, base64url. */
  readonly anchorPin: string;
  readonly root: X509Certificate;
  readonly #deps: IssuingDeps;
  readonly #custody: KeyCustody;
  #issuers: readonly IssuingAuthority[];
  #signing: Readonly<Record<IssuingRole, SigningAuthority>>;
  #devicesIssuers: readonly SigningAuthority[];
  #revocationUrl: string | undefined;

  constructor(
    material: AuthorityMaterial,
    { custody = softwareCustody, ...deps }: IssuingDeps & { custody?: KeyCustody | undefined },
  ) {
    this.root = new X509Certificate(derOf(material.root));
    this.anchorPem = certificatePem(this.root.raw);
    this.anchorPin = anchorPin(this.root.raw);
    this.#deps = deps;
    this.#custody = custody;
    ({
      issuers: this.#issuers,
      signing: this.#signing,
      devicesIssuers: this.#devicesIssuers,
    } = opened(material, custody));
  }

  /** Takes up a changed material of the same root: a generation came, issues now, or ended. */
  adopt(material: AuthorityMaterial): void {
    ({
      issuers: this.#issuers,
      signing: this.#signing,
      devicesIssuers: this.#devicesIssuers,
    } = opened(material, this.#custody));
  }

  /** Every issuing authority there ever was, the newest generation first. */
  get issuers(): readonly IssuingAuthority[] {
    return this.#issuers;
  }

  /** The authority that issues to devices now. */
  get devicesCa(): X509Certificate {
    return this.#signing.devices.certificate;
  }

  /** The authority that issues to servers now. */
  get serversCa(): X509Certificate {
    return this.#signing.servers.certificate;
  }

  get devicesCaPem(): string {
    return certificatePem(this.devicesCa.raw);
  }

  get serversCaPem(): string {
    return certificatePem(this.serversCa.raw);
  }

  /**
   * The trust anchor, and the authorities of devices that count or are about to: the one that
   * issues now comes first. What EST gives as `cacerts`.
   */
  get caCertificates(): readonly X509Certificate[] {
    return [this.root, ...this.#trusted(['devices'])];
  }

  /** Root and issuing authorities of clients, for the TLS context: devices may send a leaf alone. */
  get trustAnchorsPem(): string {
    const issuing = this.#trusted(['devices', 'apps']).map(({ raw }) => certificatePem(raw));
    return this.anchorPem + issuing.join('');
  }

  /**
   * From now on the certificates of devices name where their revocation is told.
   * @param baseUrl - of the enrollment listener, `https://host:port`.
   */
  announceRevocation(baseUrl: string): void {
    this.#revocationUrl = baseUrl;
  }

  /** The authorities of devices that sign, to revoke what they issued: the one that issues first. */
  devicesIssuers(): readonly SigningAuthority[] {
    return this.#devicesIssuers;
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
    const template = deviceProfile(input, { tenant, id, lifeMs });
    return this.#issue('devices', { ...template, revocationUrl: this.#revocationUrl });
  }

  /**
   * Issues the certificate of an owner's app or of a person's client: as {@link issueDevice}, but
   * its name can never be that of a device.
   */
  issueApp(app: {
    spki: Uint8Array;
    tenant: TenantName;
    appId: AppId;
    lifeMs: number;
  }): IssuedCertificate {
    const { spki, tenant, appId: id, lifeMs } = app;
    const input = { spki, nowMs: this.#deps.clock.nowMs() };
    return this.#issue('apps', appProfile(input, { tenant, id, lifeMs }));
  }

  /**
   * Issues a server certificate for host names and IP addresses, valid for 397 days.
   * @throws Fault `E_PKI_NAME` for a name that cannot stand in one.
   */
  issueServer({ spki, names }: { spki: Uint8Array; names: readonly string[] }): IssuedCertificate {
    const input = { spki, nowMs: this.#deps.clock.nowMs() };
    return this.#issue('servers', serverProfile(input, { names }));
  }

  #trusted(roles: readonly IssuingRole[]): X509Certificate[] {
    return this.#issuers
      .filter(({ role, state }) => roles.includes(role) && state !== 'ended')
      .sort((a, b) => Number(b.state === 'issuing') - Number(a.state === 'issuing'))
      .map(({ certificate }) => certificate);
  }

  #issue(role: IssuingRole, template: CertificateTemplate): IssuedCertificate {
    const { certificate, ...issuer } = this.#signing[role];
    const notAfterMs = Math.min(template.notAfterMs, certificate.validToDate.getTime());
    return signCertificate({ ...template, notAfterMs }, { issuer, random: this.#deps.random });
  }
}

interface Opened {
  readonly issuers: readonly IssuingAuthority[];
  readonly signing: Readonly<Record<IssuingRole, SigningAuthority>>;
  readonly devicesIssuers: readonly SigningAuthority[];
}

function opened({ generations }: AuthorityMaterial, custody: KeyCustody): Opened {
  const newestFirst = generations.toSorted((a, b) => b.number - a.number);
  const issuing = newestFirst.find(({ state }) => state === 'issuing');
  if (issuing === undefined) throw new Error('no generation of the authority issues');
  const sign = (generation: Generation, role: IssuingRole): SigningAuthority =>
    signingAuthority(generation, { role, custody });
  const signing = {
    devices: sign(issuing, 'devices'),
    servers: sign(issuing, 'servers'),
    apps: sign(issuing, 'apps'),
  };
  const earlier = newestFirst.filter(({ state }) => state === 'trusted');
  return {
    issuers: newestFirst.flatMap(publicHalves),
    signing,
    devicesIssuers: [signing.devices, ...earlier.map((one) => sign(one, 'devices'))],
  };
}

function publicHalves(generation: Generation): IssuingAuthority[] {
  const { number, state } = generation;
  return ISSUING_ROLES.map((role) => {
    const certificate = new X509Certificate(derOf(generation[role]));
    return { role, generation: number, state, certificate, keyId: keyIdText(certificate) };
  });
}

function signingAuthority(
  generation: Generation,
  { role, custody }: { role: IssuingRole; custody: KeyCustody },
): SigningAuthority {
  const { key } = generation[role];
  if (key === undefined) throw new Error(`generation ${generation.number} has no key for ${role}`);
  const der = derOf(generation[role]);
  return { certificate: new X509Certificate(der), name: subjectOf(der), key: custody.open(key) };
}

function keyIdText({ publicKey }: X509Certificate): string {
  return Buffer.from(keyIdOf(publicKey.export({ format: 'der', type: 'spki' }))).toString('hex');
}
