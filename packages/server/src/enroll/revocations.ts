/** What others may know of ended certificates: CRLs and OCSP answers, made of the registry. @module */
import { type Clock, WindowCounter } from '../kernel/index.ts';
import {
  type Authority,
  type CertificateStatus,
  type Crl,
  type CrlName,
  OCSP_ERRORS,
  OCSP_LIFE_MS,
  type OcspCertificateId,
  type OcspRequest,
  RevocationList,
  revocationIssuer,
  signOcspAnswer,
} from '../pki/index.ts';
import type { DeviceRegistry } from '../registry/index.ts';
import { isEnded, revocationOf } from './ended-certificate.ts';
import { OCSP_SIGNATURES_PER_SECOND_MAX } from './limits.ts';

/** What revocations are made of. */
export interface RevocationsDeps {
  readonly clock: Clock;
  readonly registry: Pick<
    DeviceRegistry,
    'byId' | 'certificateBySerial' | 'certificates' | 'certificatesOf' | 'onChange'
  >;
  readonly authority: Pick<Authority, 'devicesIssuers'>;
  /** `https://host:port` of the enrollment listener, once it is open. */
  readonly enrollUrl: () => string;
}

/** A CRL, and how its issuer is called in paths. */
export type IssuedCrl = Crl & { readonly issuer: string };

/** CRLs and OCSP answers of all issuers that are trusted. */
export class Revocations {
  readonly #deps: RevocationsDeps;
  readonly #signatures: WindowCounter;
  /** By fingerprint of the issuer. */
  readonly #lists = new Map<string, RevocationList>();

  constructor(deps: RevocationsDeps) {
    this.#deps = deps;
    this.#signatures = new WindowCounter(deps.clock, { windowMs: 1_000, keysMax: 1 });
    const { registry } = deps;
    // At the start, and not at the first request, when devices wait.
    this.#current();
    registry.onChange((device) => {
      for (const certificate of registry.certificatesOf(device.id)) {
        if (!isEnded(certificate)) continue;
        const keyId = this.#issuerOf(certificate);
        for (const list of this.#lists.values()) {
          if (list.issuer.keyId === keyId) list.put(revocationOf(certificate, device));
        }
      }
    });
  }

  /** A CRL; undefined when there is no such issuer or partition. */
  crl({ issuer, partition }: CrlName): IssuedCrl | undefined {
    const lists = this.#current();
    const list = issuer === undefined ? lists[0] : lists.find((one) => one.issuer.label === issuer);
    if (list === undefined) return undefined;
    const crl = partition === undefined ? list.complete() : list.partition(partition);
    return crl === undefined ? undefined : { ...crl, issuer: list.issuer.label };
  }

  /** Answers an OCSP request. What cannot be signed here, or not now, is answered unsigned. */
  ocsp({ certificates, nonce }: OcspRequest): Uint8Array {
    // One answer has one signature: certificates of another issuer are unknown in it.
    const signer = this.#current().find((list) => certificates.some((id) => isOf(id, list)));
    if (signer === undefined) return OCSP_ERRORS.unauthorized;
    if (this.#signatures.add('') > OCSP_SIGNATURES_PER_SECOND_MAX) return OCSP_ERRORS.tryLater;
    const answers = certificates.map((id) => ({ id: id.der, status: this.#statusOf(id, signer) }));
    const thisUpdateMs = this.#deps.clock.nowMs();
    const nextUpdateMs = thisUpdateMs + OCSP_LIFE_MS;
    const answer = { certificates: answers, nonce, thisUpdateMs, nextUpdateMs };
    return signOcspAnswer(answer, signer.issuer);
  }

  #statusOf(id: OcspCertificateId, signer: RevocationList): CertificateStatus {
    const certificate = this.#deps.registry.certificateBySerial(id.serial);
    const isKnown = certificate !== undefined && isOf(id, signer);
    if (!isKnown || this.#issuerOf(certificate) !== signer.issuer.keyId) return { kind: 'unknown' };
    if (!isEnded(certificate)) return { kind: 'good' };
    const device = this.#deps.registry.byId(certificate.deviceId);
    return { kind: 'revoked', ...revocationOf(certificate, device) };
  }

  /** The lists of the issuers that are trusted now, newest first. */
  #current(): RevocationList[] {
    return this.#deps.authority.devicesIssuers().map((issuer) => {
      const { fingerprint256 } = issuer.certificate;
      const known = this.#lists.get(fingerprint256);
      if (known !== undefined) return known;
      const { clock, enrollUrl: baseUrl, registry } = this.#deps;
      const list = new RevocationList({ issuer: revocationIssuer(issuer), clock, baseUrl });
      for (const certificate of registry.certificates()) {
        if (!isEnded(certificate) || this.#issuerOf(certificate) !== list.issuer.keyId) continue;
        list.put(revocationOf(certificate, registry.byId(certificate.deviceId)));
      }
      this.#lists.set(fingerprint256, list);
      return list;
    });
  }

  /** Records from before there were several issuers are those of the oldest. */
  #issuerOf({ issuerKeyId }: { readonly issuerKeyId?: string | undefined }): string | undefined {
    if (issuerKeyId !== undefined) return issuerKeyId;
    const oldest = this.#deps.authority.devicesIssuers().at(-1);
    return oldest && revocationIssuer(oldest).keyId;
  }
}

function isOf({ hash, nameHash, keyHash }: OcspCertificateId, { issuer }: RevocationList): boolean {
  return hash !== undefined && issuer.isNamedBy({ hash, nameHash, keyHash });
}
