/** Decides who a TLS connection is, from its certificate and the registry alone. @module */
import type { X509Certificate } from 'node:crypto';
import { Refusal, refuse } from '@holdfast/protocol';
import {
  type CertificateRecord,
  type DeviceRegistry,
  type TokenScope,
  appOfPrincipal,
} from '../registry/index.ts';
import type { AppGate } from './app-gate.ts';
import type { SecondFactor } from './second-factor.ts';

/** What a TLS connection shows of its peer. */
export interface TlsPeer {
  /** The verified-by-possession client certificate; also there when a session was resumed. */
  readonly certificate: X509Certificate | undefined;
  /** What OpenSSL said of the chain in a full handshake; undefined when it found nothing. */
  readonly chainProblem: string | undefined;
  /** IP address. */
  readonly address: string;
}

/**
 * Checks issuer, validity, purpose and name of a certificate; see `checkClientCertificate`.
 * @param atMs - the time for which it is checked, in milliseconds since 1970; now if not given.
 */
export type CheckCertificate = (
  certificate: X509Certificate,
  atMs?: number,
) => { readonly deviceId: string; readonly fingerprint: string } | Refusal;

/** Whose certificate a peer showed, also when it does not admit the peer any more. */
export interface ExaminedPeer {
  readonly deviceId: string;
  /** What the registry knows of the certificate. */
  readonly record: CertificateRecord;
  readonly certificate: X509Certificate;
}

/** A device in quarantine. It is no proof of anything else: nobody but updates takes it. */
export interface QuarantinedPeer {
  readonly kind: 'device';
  readonly principal: string;
  /** SHA-256 of its certificate, lower-case hex. */
  readonly fingerprint: string;
}

interface PeerIdentity {
  readonly kind: 'device' | 'person' | 'app';
  readonly principal: string;
  readonly fingerprint: string;
  readonly address: string;
  readonly notAfterMs: number;
  readonly liveUntilMs: (() => number) | undefined;
  /** Of a person with an API token: what that is good for; undefined: all. */
  readonly scope?: TokenScope | undefined;
}

let mint: (identity: PeerIdentity) => AdmittedPeer;

/** Proof that a peer may connect, and as whom. Only the {@link Gate} makes one. */
export class AdmittedPeer {
  readonly #admitted = true;
  readonly kind: 'device' | 'person' | 'app';
  /** Device id, `app:<id>`, or `person:<name>`. */
  readonly principal: string;
  /** SHA-256 of its certificate, lower-case hex; empty for a person. */
  readonly fingerprint: string;
  readonly address: string;
  /** What its token is good for, of all that the person may do; undefined: all. */
  readonly scope: TokenScope | undefined;
  readonly #notAfterMs: number;
  readonly #liveUntilMs: (() => number) | undefined;

  private constructor(identity: PeerIdentity) {
    const { kind, principal, fingerprint, address, notAfterMs, liveUntilMs } = identity;
    this.kind = kind;
    this.principal = principal;
    this.fingerprint = fingerprint;
    this.address = address;
    this.scope = identity.scope;
    this.#notAfterMs = notAfterMs;
    this.#liveUntilMs = liveUntilMs;
  }

  static {
    mint = (identity) => new AdmittedPeer(identity);
  }

  /** When its certificate or its sign-in ends, as it stands now; milliseconds since 1970. */
  get notAfterMs(): number {
    return this.#liveUntilMs?.() ?? this.#notAfterMs;
  }

  static is(value: unknown): value is AdmittedPeer {
    return value instanceof Object && #admitted in value;
  }
}

/** What the gate asks the registry. */
export type GateRegistry = Pick<DeviceRegistry, 'byId' | 'certificate' | 'useCertificate'>;

/** Hears that a renewed certificate was used for the first time. */
export type OnFirstUse = (used: { principal: string; fingerprint: string }) => void;

/** What OpenSSL says of a certificate that has ended. */
const ENDED_PROBLEM = 'CERT_HAS_EXPIRED';

/**
 * The TLS gate. It runs for every connection, full and resumed: Node does not check a client
 * certificate again when a session is resumed, so a revoked device would come back by its ticket.
 */
export class Gate {
  readonly #registry: GateRegistry;
  readonly #check: CheckCertificate;
  readonly #onFirstUse: OnFirstUse;
  readonly #apps: AppGate | undefined;
  readonly #secondFactor: Pick<SecondFactor, 'recheck'> | undefined;

  constructor({
    registry,
    check,
    onFirstUse = () => {},
    apps,
    secondFactor,
  }: {
    registry: GateRegistry;
    check: CheckCertificate;
    onFirstUse?: OnFirstUse;
    /** Without it, no app is admitted. */
    apps?: AppGate;
    /** Without it, no device owes more than its certificate. */
    secondFactor?: Pick<SecondFactor, 'recheck'>;
  }) {
    this.#secondFactor = secondFactor;
    this.#apps = apps;
    this.#registry = registry;
    this.#check = check;
    this.#onFirstUse = onFirstUse;
  }

  /**
   * Admits a peer, or refuses it with an `E_SESSION_…` code. To be admitted is the first use of a
   * renewed certificate: the one before it is superseded then. A device that still has to show its
   * API key has not used it yet: whoever checks the key calls {@link use}.
   */
  admit({ certificate, chainProblem, address }: TlsPeer): AdmittedPeer | Refusal {
    if (certificate === undefined) return NO_CERTIFICATE;
    const identity = this.#check(certificate);
    if (!('deviceId' in identity)) {
      // It is ours, and none of a device: it may be that of an app, if OpenSSL agrees.
      const isOurs = identity.code === 'E_SESSION_PURPOSE' && chainProblem === undefined;
      const mayBeApp = isOurs && this.#apps !== undefined;
      return mayBeApp ? this.admitApp(certificate, { address }) : identity;
    }
    const { deviceId, fingerprint } = identity;
    // Two independent opinions on the chain: neither OpenSSL nor our own check is trusted alone.
    if (chainProblem !== undefined) return refuse('E_SESSION_FOREIGN_CA', chainProblem);
    const principal = deviceId;
    const refusal = this.recheck({ principal, fingerprint });
    if (refusal !== undefined) return refusal;
    const notAfterMs = certificate.validToDate.getTime();
    const liveUntilMs = undefined;
    const facts = { principal, fingerprint, address, notAfterMs, liveUntilMs };
    const peer = mint({ kind: 'device', ...facts });
    const owesKey = this.#secondFactor?.recheck(peer, undefined) !== undefined;
    return (owesKey ? undefined : this.#use(fingerprint)) ?? peer;
  }

  /** A peer has shown all that it owes: its certificate is used from now on, see {@link admit}. */
  use({ kind, fingerprint }: AdmittedPeer): Refusal | undefined {
    return kind === 'device' ? this.#use(fingerprint) : undefined;
  }

  /**
   * Admits an app by its certificate alone, or refuses it. The caller has seen a proof that whoever
   * shows it holds its key: a TLS handshake, or the signature of a page.
   */
  admitApp(
    certificate: X509Certificate,
    { address }: Pick<TlsPeer, 'address'>,
  ): AdmittedPeer | Refusal {
    const app = this.#apps?.admit(certificate) ?? NO_APPS;
    if (app instanceof Refusal) return app;
    const notAfterMs = certificate.validToDate.getTime();
    return mint({ kind: 'app', ...app, address, notAfterMs, liveUntilMs: undefined });
  }

  /**
   * Admits a person whose credential was checked by the caller, which is the API's own check.
   * @param person - `liveUntilMs` tells when the credential ends: a sign-out ends it at once.
   */
  admitPerson(person: {
    principal: string;
    address: string;
    liveUntilMs: () => number;
    scope?: TokenScope | undefined;
  }): AdmittedPeer {
    return mint({ kind: 'person', fingerprint: '', notAfterMs: 0, ...person });
  }

  /**
   * Whose certificate a peer shows, whatever has become of it: one of ours, whose key the peer
   * has proven to hold, ended or not, superseded or revoked. It admits nobody.
   */
  examine({ certificate, chainProblem }: TlsPeer): ExaminedPeer | Refusal {
    if (certificate === undefined) return NO_CERTIFICATE;
    // The end of an ended certificate is the last moment for which all else can be asked.
    const now = this.#check(certificate);
    const hasEnded = !('deviceId' in now) && now.code === 'E_SESSION_EXPIRED';
    const identity = hasEnded ? this.#check(certificate, certificate.validToDate.getTime()) : now;
    if (!('deviceId' in identity)) return identity;
    if (chainProblem !== undefined && !(hasEnded && chainProblem === ENDED_PROBLEM)) {
      return refuse('E_SESSION_FOREIGN_CA', chainProblem);
    }
    const { deviceId, fingerprint } = identity;
    const record = this.#registry.certificate(fingerprint);
    if (record?.deviceId === deviceId) return { deviceId, record, certificate };
    return unknown({ principal: deviceId, fingerprint });
  }

  /** What the registry says now of a device and its certificate; undefined is a yes. */
  recheck({ principal, fingerprint }: AdmittedIdentity): Refusal | undefined {
    if (appOfPrincipal(principal) !== undefined) {
      return this.#apps === undefined ? NO_APPS : this.#apps.recheck({ principal, fingerprint });
    }
    const certificate = this.#registry.certificate(fingerprint);
    if (certificate === undefined || certificate.deviceId !== principal) {
      return unknown({ principal, fingerprint });
    }
    if (certificate.status === 'revoked') {
      return refuse('E_SESSION_REVOKED', `certificate ${certificate.serial} of ${principal}`);
    }
    const refusal = this.recheckDevice(principal);
    if (refusal !== undefined) return refusal;
    if (certificate.status === 'superseded') {
      const { serial, endedAtMs } = certificate;
      const since = endedAtMs === undefined ? '' : ` since ${new Date(endedAtMs).toISOString()}`;
      return refuse('E_SESSION_SUPERSEDED', `certificate ${serial} of ${principal}${since}`);
    }
    return undefined;
  }

  /**
   * Knows a device in quarantine by a certificate that would admit it otherwise: it keeps the way
   * to its updates. It admits nobody, and a renewed certificate is not used by it.
   */
  quarantined({ certificate, chainProblem }: TlsPeer): QuarantinedPeer | Refusal {
    if (certificate === undefined) return NO_CERTIFICATE;
    const identity = this.#check(certificate);
    if (!('deviceId' in identity)) return identity;
    if (chainProblem !== undefined) return refuse('E_SESSION_FOREIGN_CA', chainProblem);
    const { deviceId: principal, fingerprint } = identity;
    const peer = { kind: 'device', principal, fingerprint } as const;
    return this.recheckQuarantined(peer) ?? peer;
  }

  /** As {@link recheck}, of a device in quarantine: undefined as long as it is in it. */
  recheckQuarantined({ principal, fingerprint }: AdmittedIdentity): Refusal | undefined {
    const certificate = this.#registry.certificate(fingerprint);
    if (certificate?.deviceId !== principal) return unknown({ principal, fingerprint });
    const { status } = certificate;
    const isInForce = status === 'current' || status === 'pending';
    const state = this.#registry.byId(principal)?.state;
    if (isInForce && state === 'quarantined') return undefined;
    return refuse('E_SESSION_STATE', `${principal} is ${state}, its certificate ${status}`);
  }

  /** Fails closed: what cannot be noted is not used. */
  #use(fingerprint: string): Refusal | undefined {
    const certificate = this.#registry.certificate(fingerprint);
    if (certificate?.status !== 'pending') return undefined;
    try {
      this.#registry.useCertificate(fingerprint);
    } catch (error) {
      return refuse('E_JOURNAL_UNAVAILABLE', `the first use cannot be noted: ${String(error)}`);
    }
    this.#onFirstUse({ principal: certificate.deviceId, fingerprint });
    return undefined;
  }

  /** As {@link recheck}, of the device or app alone: whether its session may go on. */
  recheckDevice(deviceId: string): Refusal | undefined {
    if (appOfPrincipal(deviceId) !== undefined) {
      return this.#apps === undefined ? NO_APPS : this.#apps.recheckApp(deviceId);
    }
    const device = this.#registry.byId(deviceId);
    if (device === undefined) return refuse('E_SESSION_UNKNOWN_CERTIFICATE', `no ${deviceId}`);
    if (device.state === 'revoked') return refuse('E_SESSION_REVOKED', `${deviceId} is revoked`);
    if (device.state === 'claimed' || device.state === 'active') return undefined;
    return refuse('E_SESSION_STATE', `${deviceId} is ${device.state}: ${device.stateReason}`);
  }
}

const NO_CERTIFICATE = refuse(
  'E_SESSION_NO_CERTIFICATE',
  'the TLS handshake carried no client certificate',
);
const NO_APPS = refuse('E_SESSION_PURPOSE', 'no apps are admitted here');

function unknown({ principal, fingerprint }: AdmittedIdentity): Refusal {
  return refuse('E_SESSION_UNKNOWN_CERTIFICATE', `certificate ${fingerprint} of ${principal}`);
}

/** What is checked again: who, and by which certificate. */
type AdmittedIdentity = Pick<AdmittedPeer, 'principal' | 'fingerprint'>;
