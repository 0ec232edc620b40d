/** The part of the gate for owners' apps. @module */
import type { X509Certificate } from 'node:crypto';
import { Refusal, refuse } from '@holdfast/protocol';
import { type Owners, appOfPrincipal, appPrincipal } from '../registry/index.ts';
import type { AdmittedPeer } from './gate.ts';

/** Checks issuer, validity, purpose and name of an app's certificate; see `checkAppCertificate`. */
export type CheckAppCertificate = (
  certificate: X509Certificate,
) => { readonly appId: string; readonly fingerprint: string } | Refusal;

/** What is asked of an app: who it is, and by which certificate. */
type AppPeer = Pick<AdmittedPeer, 'principal' | 'fingerprint'>;

/** What the gate asks of owners. */
export interface AppGateDeps {
  readonly owners: Pick<Owners, 'app' | 'useCertificate'>;
  readonly check: CheckAppCertificate;
  /** Whether the trust in who issued a certificate has ended, by its `issuerKeyId`. */
  readonly hasIssuerEnded: (issuerKeyId: string | undefined) => boolean;
}

/** Decides whether a certificate is that of an app which is still one. */
export class AppGate {
  readonly #deps: AppGateDeps;

  constructor(deps: AppGateDeps) {
    this.#deps = deps;
  }

  /** Who an app is, by its certificate; to be admitted is the first use of a renewed one. */
  admit(certificate: X509Certificate): AppPeer | Refusal {
    const { owners, check } = this.#deps;
    const identity = check(certificate);
    if (identity instanceof Refusal) return identity;
    const { appId, fingerprint } = identity;
    const peer = { principal: appPrincipal(appId), fingerprint };
    const refusal = this.recheck(peer);
    if (refusal !== undefined) return refusal;
    try {
      owners.useCertificate(appId, fingerprint);
    } catch (error) {
      return refuse('E_JOURNAL_UNAVAILABLE', `the use cannot be noted: ${String(error)}`);
    }
    return peer;
  }

  /** What speaks against an app and its certificate now; undefined when nothing does. */
  recheck({ principal, fingerprint }: AppPeer): Refusal | undefined {
    const app = this.#deps.owners.app(appOfPrincipal(principal) ?? '');
    if (app === undefined) return this.recheckApp(principal);
    const known = [app.certificate, app.pending].find((one) => one?.fingerprint === fingerprint);
    const what = `certificate ${fingerprint} of ${principal}`;
    if (known === undefined) return refuse('E_SESSION_SUPERSEDED', what);
    if (!this.#deps.hasIssuerEnded(known.issuerKeyId)) return undefined;
    return refuse('E_SESSION_FOREIGN_CA', `${what}, whose authority has ended`);
  }

  /** As {@link recheck}, of the app alone: whether its session may go on. */
  recheckApp(principal: string): Refusal | undefined {
    if (this.#deps.owners.app(appOfPrincipal(principal) ?? '') !== undefined) return undefined;
    return refuse('E_SESSION_UNKNOWN_CERTIFICATE', `${principal} is no app of an owner any more`);
  }
}
