/** Decides who a TLS connection is, from its certificate and the registry alone. @module */
import type { X509Certificate } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { DeviceRegistry } from '../registry/index.ts';

/** What a TLS connection shows of its peer. */
export interface TlsPeer {
  /** The verified-by-possession client certificate; also there when a session was resumed. */
  readonly certificate: X509Certificate | undefined;
  /** What OpenSSL said of the chain in a full handshake; undefined when it found nothing. */
  readonly chainProblem: string | undefined;
  /** IP address. */
  readonly address: string;
}

/** Checks issuer, validity, purpose and name of a certificate; see `checkClientCertificate`. */
export type CheckCertificate = (
  certificate: X509Certificate,
) => { readonly deviceId: string; readonly fingerprint: string } | Refusal;

interface PeerIdentity {
  readonly kind: 'device' | 'person';
  readonly principal: string;
  readonly fingerprint: string;
  readonly address: string;
  readonly notAfterMs: number;
  readonly liveUntilMs: (() => number) | undefined;
}

let mint: (identity: PeerIdentity) => AdmittedPeer;

/** Proof that a peer may connect, and as whom. Only the {@link Gate} makes one. */
export class AdmittedPeer {
  readonly #admitted = true;
  readonly kind: 'device' | 'person';
  /** Device id, or `person:<name>`. */
  readonly principal: string;
  /** SHA-256 of its certificate, lower-case hex; empty for a person. */
  readonly fingerprint: string;
  readonly address: string;
  readonly #notAfterMs: number;
  readonly #liveUntilMs: (() => number) | undefined;

  private constructor(identity: PeerIdentity) {
    const { kind, principal, fingerprint, address, notAfterMs, liveUntilMs } = identity;
    this.kind = kind;
    this.principal = principal;
    this.fingerprint = fingerprint;
    this.address = address;
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
export type GateRegistry = Pick<DeviceRegistry, 'byId' | 'certificate'>;

/**
 * The TLS gate. It runs for every connection, full and resumed: Node does not check a client
 * certificate again when a session is resumed, so a revoked device would come back by its ticket.
 */
export class Gate {
  readonly #registry: GateRegistry;
  readonly #check: CheckCertificate;

  constructor({ registry, check }: { registry: GateRegistry; check: CheckCertificate }) {
    this.#registry = registry;
    this.#check = check;
  }

  /** Admits a peer, or refuses it with an `E_SESSION_…` code. */
  admit({ certificate, chainProblem, address }: TlsPeer): AdmittedPeer | Refusal {
    if (certificate === undefined) {
      return refuse('E_SESSION_NO_CERTIFICATE', 'the TLS handshake carried no client certificate');
    }
    const identity = this.#check(certificate);
    if (!('deviceId' in identity)) return identity;
    const { deviceId, fingerprint } = identity;
    // Two independent opinions on the chain: neither OpenSSL nor our own check is trusted alone.
    if (chainProblem !== undefined) return refuse('E_SESSION_FOREIGN_CA', chainProblem);
    const refusal = this.recheck({ principal: deviceId, fingerprint });
    if (refusal !== undefined) return refusal;
    const notAfterMs = certificate.validToDate.getTime();
    const principal = deviceId;
    const liveUntilMs = undefined;
    return mint({ kind: 'device', principal, fingerprint, address, notAfterMs, liveUntilMs });
  }

  /**
   * Admits a person whose credential was checked by the caller, which is the API's own check.
   * @param person - `liveUntilMs` tells when the credential ends: a sign-out ends it at once.
   */
  admitPerson(person: {
    principal: string;
    address: string;
    liveUntilMs: () => number;
  }): AdmittedPeer {
    return mint({ kind: 'person', fingerprint: '', notAfterMs: 0, ...person });
  }

  /** What the registry says now of a device and its certificate; undefined is a yes. */
  recheck({ principal, fingerprint }: AdmittedIdentity): Refusal | undefined {
    const certificate = this.#registry.certificate(fingerprint);
    if (certificate === undefined || certificate.deviceId !== principal) {
      return refuse('E_SESSION_UNKNOWN_CERTIFICATE', `certificate ${fingerprint} of ${principal}`);
    }
    if (certificate.status === 'revoked') {
      return refuse('E_SESSION_REVOKED', `certificate ${certificate.serial} of ${principal}`);
    }
    const refusal = this.recheckDevice(principal);
    if (refusal !== undefined) return refusal;
    if (certificate.status === 'superseded') {
      return refuse('E_SESSION_SUPERSEDED', `certificate ${certificate.serial} of ${principal}`);
    }
    return undefined;
  }

  /** As {@link recheck}, of the device alone: whether its session may go on. */
  recheckDevice(deviceId: string): Refusal | undefined {
    const device = this.#registry.byId(deviceId);
    if (device === undefined) return refuse('E_SESSION_UNKNOWN_CERTIFICATE', `no ${deviceId}`);
    if (device.state === 'revoked') return refuse('E_SESSION_REVOKED', `${deviceId} is revoked`);
    if (device.state === 'claimed' || device.state === 'active') return undefined;
    return refuse('E_SESSION_STATE', `${deviceId} is ${device.state}: ${device.stateReason}`);
  }
}

/** What is checked again: who, and by which certificate. */
type AdmittedIdentity = Pick<AdmittedPeer, 'principal' | 'fingerprint'>;
