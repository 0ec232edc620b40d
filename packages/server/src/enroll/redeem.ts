/** Redeems claims: a secret and a certificate request become an operational certificate. @module */
import { X509Certificate, timingSafeEqual } from 'node:crypto';
import { type DeviceId, Refusal, type TenantName, parseDeviceId, refuse } from '@holdfast/protocol';
import type { Clock, Secret } from '../kernel/index.ts';
import { type Authority, type CertificateRequest, certificatePem, parseCsr } from '../pki/index.ts';
import { type Claim, DEVICE_CLASSES, type Device, type DeviceRegistry } from '../registry/index.ts';
import { MAY_NOT_ENROLL, secretHash } from './claims.ts';
import { REPEAT_MS_MAX } from './limits.ts';

/** What a peer brings to enroll. Nothing in it is believed before it is checked. */
export interface Redemption {
  readonly deviceId: string;
  /** The secret of the claim, base64url. */
  readonly secret: Secret<string>;
  /** The certificate request, in a form that `parseCsr` reads. */
  readonly csr: Uint8Array;
}

/** Whose claims are redeemed, and who issues. */
export interface RedeemDeps {
  readonly registry: DeviceRegistry;
  readonly authority: Authority;
  readonly tenant: TenantName;
  readonly clock: Clock;
}

/** A redeemed claim. */
export interface Redeemed {
  readonly device: Device;
  readonly certificateDer: Uint8Array;
  /** The certificate and its issuer, without the trust anchor; DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** True when the same certificate was given again. */
  readonly isRepeated: boolean;
  /** What the request asked for and was not given. */
  readonly ignored: readonly string[];
}

/**
 * Redeems a claim. It runs to its end without waiting for anything, so of two redemptions at the
 * same time one is the first, and the other finds the claim used.
 *
 * An unknown device, a device without a claim and a wrong secret give the same refusal after the
 * same hash and comparison. What remains is the time to open one sealed record: 6 µs measured,
 * behind a TLS connection.
 *
 * @returns the certificate, or `E_ENROLL_CLAIM`, `E_ENROLL_CLAIM_EXPIRED`, `E_ENROLL_CLAIM_USED`,
 *   `E_ENROLL_STATE`, and, after a good claim only, `E_ENROLL_CSR` or `E_ENROLL_KEY`.
 */
export function redeem(
  { deviceId, secret, csr }: Redemption,
  deps: RedeemDeps,
): Redeemed | Refusal {
  const admitted = admit({ deviceId, secret }, deps);
  if (admitted instanceof Refusal) return admitted;
  const { device, claim } = admitted;
  const nowMs = deps.clock.nowMs();
  const { redeemed } = claim;
  if (redeemed === undefined) {
    if (nowMs >= claim.expiresAtMs) {
      const end = new Date(claim.expiresAtMs).toISOString();
      return refuse('E_ENROLL_CLAIM_EXPIRED', `the claim of ${deviceId} ended ${end}`);
    }
    const request = parseCsr(csr);
    return request instanceof Refusal ? request : issue(request, { ...deps, ...admitted, nowMs });
  }
  if (nowMs >= redeemed.atMs + REPEAT_MS_MAX) {
    return refuse('E_ENROLL_CLAIM_USED', `the claim of ${deviceId} was redeemed before`);
  }
  const request = parseCsr(csr);
  if (request instanceof Refusal) return request;
  if (request.spkiHash !== redeemed.spkiHash) {
    return refuse('E_ENROLL_CLAIM_USED', `the claim of ${deviceId} was redeemed with another key`);
  }
  const { raw } = new X509Certificate(redeemed.certificatePem);
  return answer({ device, der: raw, request, isRepeated: true }, deps);
}

interface Admitted {
  readonly device: Device;
  readonly id: DeviceId;
  readonly claim: Claim;
}

/** Finds the claim and compares its secret, in constant time. */
function admit(
  { deviceId, secret }: { deviceId: string; secret: Secret<string> },
  { registry }: RedeemDeps,
): Admitted | Refusal {
  const claim = registry.claimOf(deviceId);
  const expected = Buffer.from(claim?.secretHash ?? HASH_OF_NOTHING, 'hex');
  const shown = Buffer.from(secretHash(Buffer.from(secret.expose(), 'base64url')), 'hex');
  const isRight = timingSafeEqual(expected, shown);
  const device = registry.byId(deviceId);
  const id = parseDeviceId(deviceId);
  if (!isRight || claim === undefined || device === undefined || id instanceof Refusal) {
    return refuse('E_ENROLL_CLAIM', 'the secret is not the one of a claim for this device');
  }
  if (MAY_NOT_ENROLL.has(device.state) || device.state === 'revoked') {
    const { state, stateReason } = device;
    return refuse('E_ENROLL_STATE', `${deviceId} is ${state}: ${stateReason}`);
  }
  return { device, id, claim };
}

function issue(
  request: CertificateRequest,
  { device, id, claim, nowMs, ...deps }: RedeemDeps & Admitted & { nowMs: number },
): Redeemed {
  const { certificateLifeMs: lifeMs } = DEVICE_CLASSES[device.class];
  const { spkiDer: spki, spkiHash } = request;
  const { der, ...facts } = deps.authority.issueDevice({
    spki,
    tenant: deps.tenant,
    deviceId: id,
    lifeMs,
  });
  const redeemed = { spkiHash, atMs: nowMs, certificatePem: certificatePem(der) };
  const enrolled = deps.registry.completeEnrollment(device, {
    certificate: { ...facts, deviceId: id, status: 'current' },
    claim: { ...claim, redeemed },
  });
  return answer({ device: enrolled, der, request, isRepeated: false }, deps);
}

function answer(
  given: { device: Device; der: Uint8Array; request: CertificateRequest; isRepeated: boolean },
  { authority }: RedeemDeps,
): Redeemed {
  return {
    device: given.device,
    certificateDer: given.der,
    chain: [given.der, authority.devicesCa.raw],
    isRepeated: given.isRepeated,
    ignored: given.request.ignored,
  };
}

/** Compared with when there is no claim: no secret is known that has this hash. */
const HASH_OF_NOTHING = '00'.repeat(32);
