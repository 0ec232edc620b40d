/** Claims: the one-time credentials with which devices enroll. @module */
import { createHash } from 'node:crypto';
import { type Refusal, formatClaim, refuse } from '@holdfast/protocol';
import { type Clock, type RandomBytes, Secret } from '../kernel/index.ts';
import type { Device, DeviceRegistry } from '../registry/index.ts';
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
export interface ClaimDeps {
  readonly registry: DeviceRegistry;
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

/**
 * Issues a claim for a device; an earlier one is void from then on. A revoked device goes back to
 * `registered`: asking for its claim is the operator's decision to let it come back. Its old
 * certificates stay revoked.
 * @returns the claim, or `E_OPERATE_CONFLICT` when the state of the device does not allow it.
 */
export function issueClaim(device: Device, deps: ClaimDeps): IssuedClaim | Refusal {
  const { registry, random, clock, host, port, anchorPin, lifeMs = CLAIM_LIFE_MS } = deps;
  if (MAY_NOT_ENROLL.has(device.state)) {
    const { id, state, stateReason } = device;
    return refuse('E_OPERATE_CONFLICT', `${id} is ${state} (${stateReason}) and gets no claim`);
  }
  const secretBytes = random(SECRET_BYTES);
  const secret = Buffer.from(secretBytes).toString('base64url');
  const expiresAtMs = clock.nowMs() + lifeMs;
  if (device.state === 'revoked') {
    registry.changeState(device, 'registered', 'given a new claim after its revocation');
  }
  registry.writeClaim({ deviceId: device.id, secretHash: secretHash(secretBytes), expiresAtMs });
  const text = formatClaim({ host, port, deviceId: device.id, anchorPin, secret });
  return { text: new Secret(text), secret: new Secret(secret), expiresAtMs };
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
