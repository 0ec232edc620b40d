/** Redeems claims: a secret and a certificate request become an operational certificate. @module */
import { timingSafeEqual } from 'node:crypto';
import { type DeviceId, Refusal, parseDeviceId, refuse } from '@holdfast/protocol';
import type { Secret } from '../kernel/index.ts';
import type { Claim, Device } from '../registry/index.ts';
import { MAY_NOT_ENROLL, secretHash } from './claims.ts';
import { type IssueDeps, type Issued, issueOnce } from './issue-once.ts';

/** What a peer brings to enroll. Nothing in it is believed before it is checked. */
export interface ClaimRedemption {
  readonly deviceId: string;
  /** The secret of the claim, base64url. */
  readonly secret: Secret<string>;
  /** The certificate request, in a form that `parseCsr` reads. */
  readonly csr: Uint8Array;
}

/**
 * Redeems a claim: once, see {@link issueOnce}.
 *
 * An unknown device, a device without a claim and a wrong secret give the same refusal after the
 * same hash and comparison. What remains is the time to open one sealed record: 6 µs measured,
 * behind a TLS connection.
 *
 * @returns the certificate, or `E_ENROLL_CLAIM`, `E_ENROLL_CLAIM_EXPIRED`, `E_ENROLL_CLAIM_USED`,
 *   `E_ENROLL_STATE`, and, after a good claim only, `E_ENROLL_CSR` or `E_ENROLL_KEY`.
 */
export function redeem(
  { deviceId, secret, csr }: ClaimRedemption,
  deps: IssueDeps,
): Issued | Refusal {
  const admitted = admit({ deviceId, secret }, deps);
  if (admitted instanceof Refusal) return admitted;
  const { device, id, claim } = admitted;
  if (claim.redeemed === undefined && deps.clock.nowMs() >= claim.expiresAtMs) {
    const end = new Date(claim.expiresAtMs).toISOString();
    return refuse('E_ENROLL_CLAIM_EXPIRED', `the claim of ${deviceId} ended ${end}`);
  }
  const credential = {
    device,
    id,
    csr,
    redeemed: claim.redeemed,
    used: { code: 'E_ENROLL_CLAIM_USED', what: `the claim of ${deviceId}` },
  } as const;
  return issueOnce(
    {
      ...credential,
      enroll: (certificate, redeemed) =>
        deps.registry.completeEnrollment(device, { certificate, claim: { ...claim, redeemed } }),
    },
    deps,
  );
}

interface Admitted {
  readonly device: Device;
  readonly id: DeviceId;
  readonly claim: Claim;
}

/** Finds the claim and compares its secret, in constant time. */
function admit(
  { deviceId, secret }: { deviceId: string; secret: Secret<string> },
  { registry }: IssueDeps,
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
  return mayNotEnroll(device) ?? { device, id, claim };
}

/** Why a device gets no certificate now, whatever it shows; undefined when it may get one. */
export function mayNotEnroll(device: Device): Refusal | undefined {
  if (!MAY_NOT_ENROLL.has(device.state) && device.state !== 'revoked') return undefined;
  const { id, state, stateReason } = device;
  return refuse('E_ENROLL_STATE', `${id} is ${state}: ${stateReason}`);
}

/** Compared with when there is no claim: no secret is known that has this hash. */
const HASH_OF_NOTHING = '00'.repeat(32);
