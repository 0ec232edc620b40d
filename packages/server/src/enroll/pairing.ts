/** Pairs owners' apps with devices: a code and a certificate request become a certificate. @module */
import { type AppId, Refusal, formatPairing, parseAppId, refuse } from '@holdfast/protocol';
import type { Secret } from '../kernel/index.ts';
import { type CertificateRequest, certificatePem, parseCsr } from '../pki/index.ts';
import type { AppCertificate, OwnerApp, Owners, PairCodeRecord } from '../registry/index.ts';
import { MAY_NOT_ENROLL } from './claims.ts';
import type { IssueDeps } from './issue-once.ts';
import {
  APPS_PER_OWNER_MAX,
  APP_CERTIFICATE_LIFE_MS,
  DEVICES_PER_OWNER_MAX,
  REPEAT_MS_MAX,
} from './limits.ts';

/** What pairing needs. */
export interface PairingDeps extends IssueDeps {
  readonly owners: Owners;
  /** Host name of the API as apps reach it; an IPv6 address in brackets. */
  readonly host: string;
}

/** What an app brings to be paired. Nothing in it is believed before it is checked. */
export interface PairWish {
  /** A device, or `owner:<id>`. */
  readonly of: string;
  readonly code: string;
  readonly csr: string;
}

/** An app with the certificate that it was issued. */
export interface PairedApp {
  readonly app: OwnerApp;
  readonly certificatePem: string;
  readonly notAfterMs: number;
  /** True when the same certificate was given again. */
  readonly isRepeated: boolean;
}

/** A code that counts once it is kept. */
export interface PreparedPairCode {
  readonly of: string;
  readonly code: Secret<string>;
  /** The pairing text. Secret, too: the code stands in it. */
  readonly text: string;
  readonly expiresAtMs: number | undefined;
  readonly keep: () => void;
}

/** The pairing of one server. Each method runs to its end without waiting for anything. */
export class Pairing {
  readonly #deps: PairingDeps;

  constructor(deps: PairingDeps) {
    this.#deps = deps;
  }

  /** Makes a code for a device without owner or for an owner; the one before it is void then. */
  prepareCode(
    of: string,
    { port, lifeMs }: { port: number; lifeMs?: number | undefined },
  ): PreparedPairCode {
    const { owners, authority, host } = this.#deps;
    const { code, record } = owners.makeCode(of, { lifeMs });
    const { anchorPin } = authority;
    const text = formatPairing({ host, port, of, anchorPin, code: code.expose() });
    const { expiresAtMs } = record;
    return { of, code, text, expiresAtMs, keep: () => owners.keepCode(record) };
  }

  /**
   * Uses a code: once, and within `REPEAT_MS_MAX` again for the same key, with the same answer.
   * @returns the app, or `E_ENROLL_PAIR`, `E_ENROLL_PAIR_USED`, and, after a good code only,
   *   `E_ENROLL_CSR`, `E_ENROLL_KEY` or `E_OPERATE_CONFLICT`.
   */
  pair({ of, code: typed, csr }: PairWish): PairedApp | Refusal {
    const { owners } = this.#deps;
    const code = owners.matchCode(of, typed);
    if (code === undefined) return refuse('E_ENROLL_PAIR', `it is not the code of ${of}`);
    if (code.used !== undefined) return this.#pairAgain(code, csr);
    const refusal = this.#refuseCode(code);
    if (refusal !== undefined) return refusal;
    const ownerId = owners.ownerOf(of) ?? (owners.appsOf(of).length > 0 ? of : owners.newOwnerId());
    const tooMany = this.#makeRoom(ownerId);
    if (tooMany !== undefined) return tooMany;
    const request = parseCsr(csr);
    if (request instanceof Refusal) return request;
    const appId = owners.newAppId(ownerId);
    const { certificate, pem } = this.#issue(appId, request);
    const atMs = this.#deps.clock.nowMs();
    const used = { spkiHash: request.spkiHash, atMs, appId, certificatePem: pem };
    const app = owners.addApp({ ownerId, appId, certificate, used, code });
    const { notAfterMs } = certificate;
    return { app, certificatePem: pem, notAfterMs, isRepeated: false };
  }

  /** Gives an app's owner one more device, by the code of that device; refuses as {@link pair}. */
  addDevice({ ownerId }: OwnerApp, { of, code: typed }: Omit<PairWish, 'csr'>): true | Refusal {
    const { owners } = this.#deps;
    const code = owners.matchCode(of, typed);
    if (code === undefined) return refuse('E_ENROLL_PAIR', `it is not the code of ${of}`);
    if (code.used !== undefined)
      return refuse('E_ENROLL_PAIR', `the code of ${of} was used before`);
    const refusal = this.#refuseCode(code);
    if (refusal !== undefined) return refusal;
    if (owners.pairingsOf(ownerId).length >= DEVICES_PER_OWNER_MAX) {
      return refuse('E_OPERATE_CONFLICT', `An owner has at most ${DEVICES_PER_OWNER_MAX} devices.`);
    }
    owners.addDevice(ownerId, of);
    return true;
  }

  /**
   * Renews the certificate of an app, with a new key; the one in use counts until the first use of
   * the new one. The same request again gets the same answer.
   */
  renew(app: OwnerApp, csr: string): PairedApp | Refusal {
    const request = parseCsr(csr);
    if (request instanceof Refusal) return request;
    const { pending } = app;
    if (pending?.spkiHash === request.spkiHash) {
      const { certificatePem: pem, notAfterMs } = pending;
      return { app, certificatePem: pem, notAfterMs, isRepeated: true };
    }
    if (request.spkiHash === app.certificate.spkiHash) {
      return refuse('E_ENROLL_KEY', 'a renewal needs a new key, and this one is in use');
    }
    const { certificate, pem } = this.#issue(app.id, request);
    this.#deps.owners.renew(app, { ...certificate, certificatePem: pem });
    const { notAfterMs } = certificate;
    return { app, certificatePem: pem, notAfterMs, isRepeated: false };
  }

  #pairAgain({ of, used }: PairCodeRecord, csr: string): PairedApp | Refusal {
    const request = parseCsr(csr);
    if (request instanceof Refusal) return request;
    if (used?.spkiHash !== request.spkiHash) {
      return refuse('E_ENROLL_PAIR_USED', `the code of ${of} was used before, with another key`);
    }
    const app = this.#deps.owners.app(used.appId);
    if (app === undefined || this.#deps.clock.nowMs() >= used.atMs + REPEAT_MS_MAX) {
      return refuse('E_ENROLL_PAIR', `the code of ${of} was used before`);
    }
    const { notAfterMs } = app.certificate;
    return { app, certificatePem: used.certificatePem, notAfterMs, isRepeated: true };
  }

  /** What speaks against a right code that was not used. */
  #refuseCode({ of, expiresAtMs }: PairCodeRecord): Refusal | undefined {
    const { owners, registry, clock } = this.#deps;
    if (expiresAtMs !== undefined && clock.nowMs() >= expiresAtMs) {
      return refuse(
        'E_ENROLL_PAIR',
        `the code of ${of} ended ${new Date(expiresAtMs).toISOString()}`,
      );
    }
    const device = registry.byId(of);
    if (device === undefined) {
      if (owners.appsOf(of).length > 0) return undefined;
      return refuse('E_ENROLL_PAIR', `there is neither a device nor an owner ${of} any more`);
    }
    if (MAY_NOT_ENROLL.has(device.state) || device.state === 'revoked') {
      return refuse('E_ENROLL_PAIR', `${of} is ${device.state}`);
    }
    if (owners.ownerOf(of) === undefined) return undefined;
    return refuse('E_ENROLL_PAIR', `${of} has an owner`);
  }

  /** An app whose certificate has ended is gone: it makes room for another one. */
  #makeRoom(ownerId: string): Refusal | undefined {
    const { owners, clock } = this.#deps;
    const apps = owners.appsOf(ownerId);
    if (apps.length < APPS_PER_OWNER_MAX) return undefined;
    const gone = apps.find((app) => endOf(app) < clock.nowMs());
    if (gone !== undefined && owners.removeApp(gone.id)) return undefined;
    return refuse('E_OPERATE_CONFLICT', `An owner has at most ${APPS_PER_OWNER_MAX} apps.`);
  }

  #issue(appId: string, request: CertificateRequest): { certificate: AppCertificate; pem: string } {
    const { authority, tenant } = this.#deps;
    const { der, fingerprint, notAfterMs, issuerKeyId } = authority.issueApp({
      spki: request.spkiDer,
      tenant,
      appId: asAppId(appId),
      lifeMs: APP_CERTIFICATE_LIFE_MS,
    });
    const certificate = { fingerprint, spkiHash: request.spkiHash, notAfterMs, issuerKeyId };
    return { certificate, pem: certificatePem(der) };
  }
}

function endOf({ certificate, pending }: OwnerApp): number {
  return Math.max(certificate.notAfterMs, pending?.notAfterMs ?? 0);
}

function asAppId(text: string): AppId {
  const id = parseAppId(text);
  if (id instanceof Refusal) throw new Error(id.detail);
  return id;
}
