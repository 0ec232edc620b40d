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
  readonly deviceId: string;
  readonly fingerprint: string;
  readonly address: string;
  readonly notAfterMs: number;
}

let mint: (identity: PeerIdentity) => AdmittedPeer;

/** Proof that a peer is a device that may connect. Only the {@link Gate} makes one. */
export class AdmittedPeer {
  readonly #admitted = true;
  readonly deviceId: string;
  /** SHA-256 of its certificate, lower-case hex. */
  readonly fingerprint: string;
  readonly address: string;
  /** When its certificate ends; milliseconds since 1970. */
  readonly notAfterMs: number;

  private constructor({ deviceId, fingerprint, address, notAfterMs }: PeerIdentity) {
    this.deviceId = deviceId;
    this.fingerprint = fingerprint;
    this.address = address;
    this.notAfterMs = notAfterMs;
  }

  static {
    mint = (identity) => new AdmittedPeer(identity);
  }

  static is(value: unknown): value is AdmittedPeer {
    return value instanceof Object && #admitted in value;
  }
}

/**
 * The TLS gate. It runs for every connection, full and resumed: Node does not check a client
 * certificate again when a session is resumed, so a revoked device would come back by its ticket.
 */
export class Gate {
  readonly #registry: DeviceRegistry;
  readonly #check: CheckCertificate;

  constructor({ registry, check }: { registry: DeviceRegistry; check: CheckCertificate }) {
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
    const refusal = this.recheck({ deviceId, fingerprint });
    if (refusal !== undefined) return refusal;
    const notAfterMs = certificate.validToDate.getTime();
    return mint({ deviceId, fingerprint, address, notAfterMs });
  }

  /** What the registry says now of an identity that a certificate proved; undefined is a yes. */
  recheck(identity: { deviceId: string; fingerprint: string }): Refusal | undefined {
    const { deviceId, fingerprint } = identity;
    const certificate = this.#registry.certificate(fingerprint);
    const device = this.#registry.byId(deviceId);
    if (certificate === undefined || device === undefined || certificate.deviceId !== deviceId) {
      return refuse('E_SESSION_UNKNOWN_CERTIFICATE', `certificate ${fingerprint} of ${deviceId}`);
    }
    if (certificate.status === 'revoked' || device.state === 'revoked') {
      return refuse('E_SESSION_REVOKED', `certificate ${certificate.serial} of ${deviceId}`);
    }
    if (certificate.status === 'superseded') {
      return refuse('E_SESSION_SUPERSEDED', `certificate ${certificate.serial} of ${deviceId}`);
    }
    if (device.state !== 'claimed' && device.state !== 'active') {
      return refuse('E_SESSION_STATE', `${deviceId} is ${device.state}: ${device.stateReason}`);
    }
    return undefined;
  }
}
