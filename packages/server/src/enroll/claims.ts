/** Claims: the one-time credentials with which devices enroll. @module */
import { createHash } from 'node:crypto';
import { Refusal, formatClaim, refuse } from '@holdfast/protocol';
import { type Clock, type RandomBytes, Secret } from '../kernel/index.ts';
import type { Claim, Device, DeviceRegistry } from '../registry/index.ts';
import { CLAIM_LIFE_MS } from './limits.ts';

/** A claim as it is shown, once, to whoever carries it to the device. */
export interface IssuedClaim {
  /** The whole claim, `holdfast-claim/1/…`; the secret is in it. */
  readonly text: Secret<string>;
  /** 32 random bytes in base64url: the password of EST. */
  readonly secret: Secret<string>;
  readonly expiresAtMs: number;
}

/** Where claims lead, and what they are made with. */
export interface ClaimPlace {
  readonly random: RandomBytes;
  readonly clock: Clock;
  /** Host name of the enrollment listener; an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the DER trust anchor, base64url. */
  readonly anchorPin: string;
  /** From now on, in milliseconds. Default: 24 hours. */
  readonly lifeMs?: number | undefined;
}

/** What issuing a claim needs. */
export interface ClaimDeps extends ClaimPlace {
  readonly registry: DeviceRegistry;
  /** Principal that asks for it; `server`, when it is left out. */
  readonly by?: string | undefined;
}

/** A claim that counts once its record is written. */
export interface PreparedClaim {
  readonly issued: IssuedClaim;
  readonly record: Claim;
}

/** Makes a claim for a device, and leaves it to the caller to write its record. */
export function prepareClaim(
  deviceId: string,
  { random, clock, host, port, anchorPin, lifeMs = CLAIM_LIFE_MS }: ClaimPlace,
): PreparedClaim {
  const secretBytes = random(SECRET_BYTES);
  const secret = Buffer.from(secretBytes).toString('base64url');
  const expiresAtMs = clock.nowMs() + lifeMs;
  const text = formatClaim({ host, port, deviceId, anchorPin, secret });
  return {
    issued: { text: new Secret(text), secret: new Secret(secret), expiresAtMs },
    record: { deviceId, secretHash: secretHash(secretBytes), expiresAtMs },
  };
}

/**
 * Issues a claim for a device; an earlier one is void from then on. A revoked device goes back to
 * `registered`: asking for its claim is the operator's decision to let it come back. Its old
 * certificates stay revoked.
 * @returns the claim, or `E_OPERATE_CONFLICT` when the state of the device does not allow it.
 */
export function issueClaim(device: Device, deps: ClaimDeps): IssuedClaim | Refusal {
  const { registry, by = 'server' } = deps;
  if (MAY_NOT_ENROLL.has(device.state)) {
    const { id, state, stateReason } = device;
    return refuse('E_OPERATE_CONFLICT', `${id} is ${state} (${stateReason}) and gets no claim`);
  }
  if (device.state === 'revoked') {
    const reason = 'given a new claim after its revocation';
    const readmitted = registry.changeState(device.id, { act: 'readmit', by, reason });
    if (readmitted instanceof Refusal) return readmitted;
  }
  const { issued, record } = prepareClaim(device.id, deps);
  registry.writeClaim(record);
  return issued;
}

/** SHA-256 of the secret bytes, lower-case hex. They are random, so no slow hash is needed. */
export function secretHash(secret: Uint8Array): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** States that an operator, or a response to an incident, must lift first. */
export const MAY_NOT_ENROLL: ReadonlySet<Device['state']> = new Set([
  'quarantined',
  'suspended',
  'retired',
]);

const SECRET_BYTES = 32;
