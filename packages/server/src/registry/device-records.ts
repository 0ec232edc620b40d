/** The records of devices, their certificates and their claims, as they are kept. @module */
import { z } from 'zod';
import { DEVICE_CLASS_NAMES } from './device-classes.ts';

/** The life cycle of a device. */
export const DEVICE_STATES = [
  'registered',
  'claimed',
  'active',
  'quarantined',
  'suspended',
  'revoked',
  'retired',
] as const;

/** Whether a device with a TPM has proven how it booted. */
export const BOOT_PROOFS = ['proven', 'unproven'] as const;
export type BootProof = (typeof BOOT_PROOFS)[number];

export const DeviceSchema = z.object({
  id: z.string(),
  class: z.enum(DEVICE_CLASS_NAMES),
  /** The one group that it is in; empty for none. */
  group: z.string().default(''),
  /** Its kind of hardware, as releases name it; absent while nobody has told. */
  hardware: z.string().optional(),
  /** Words by which people find it again, in their order; absent for none. */
  tags: z.array(z.string()).optional(),
  state: z.enum(DEVICE_STATES),
  /** Why the device is in this state, in the words of whoever put it there. */
  stateReason: z.string(),
  /** Who put it there: a principal; empty for what was not noted yet. */
  stateBy: z.string().default(''),
  /** When; 0 for what was not noted yet. */
  stateAtMs: z.int().default(0),
  /** Of a stopped device: the states that `release` and `resume` go back to, the next one last. */
  statesBefore: z.array(z.enum(DEVICE_STATES)).default([]),
  createdAtMs: z.int(),
  /** Number of the data key that seals what this device sends. */
  contentKeyRef: z.int(),
  /** Those that sealed it before, oldest first: they only open. */
  formerContentKeyRefs: z.array(z.int()).default([]),
  /**
   * Set by an erasure: counters up to this one count as seen, under the payload keys of that
   * generation. What told which ones were is erased.
   */
  seenCounters: z.object({ generation: z.int(), upTo: z.int() }).optional(),
  /**
   * When what it had sent was erased last. What it measured before, and held back, does not come
   * after it: it may be the former owner's.
   */
  erasedAtMs: z.int().optional(),
  /** Counts the enrollments: each one makes new payload keys. */
  payloadKeyGeneration: z.int(),
  /** True once a message was verified with the payload key: from then on it is never delivered. */
  isPayloadKeyInUse: z.boolean(),
  /** Absent: no TPM is bound to it. */
  boot: z.enum(BOOT_PROOFS).optional(),
});
/** A device of the fleet. */
export type Device = Readonly<z.infer<typeof DeviceSchema>>;
export type DeviceState = Device['state'];

/**
 * Numbers of all data keys under which something of this device stands, oldest first. Each one has
 * sealed nothing since there is the next.
 */
export function contentKeyRefsOf(
  device: Pick<Device, 'contentKeyRef' | 'formerContentKeyRefs'>,
): number[] {
  return [...device.formerContentKeyRefs, device.contentKeyRef];
}

export const CertificateSchema = z.object({
  /** SHA-256 of the DER certificate, lower-case hex. */
  fingerprint: z.string(),
  /** Serial number, lower-case hex. */
  serial: z.string(),
  deviceId: z.string(),
  notBeforeMs: z.int(),
  notAfterMs: z.int(),
  /** `pending`: renewed and not used yet; its first use supersedes those before it. */
  status: z.enum(['pending', 'current', 'superseded', 'revoked']),
  /** When it was superseded or revoked. */
  endedAtMs: z.int().optional(),
  /** Why it was revoked, in the words of whoever did it. */
  endReason: z.string().optional(),
  /** Key identifier of the authority that issued it; records from before that had only one. */
  issuerKeyId: z.string().optional(),
  /** Of a pending one: what it is given again for, the same key (SHA-256 of its SPKI). */
  pending: z.object({ spkiHash: z.string(), certificatePem: z.string() }).optional(),
});
/** An operational certificate that this server issued. */
export type CertificateRecord = Readonly<z.infer<typeof CertificateSchema>>;

export const ClaimSchema = z.object({
  deviceId: z.string(),
  /** SHA-256 of the 32 secret bytes, lower-case hex. The secret itself is never kept. */
  secretHash: z.string(),
  expiresAtMs: z.int(),
  /** Set when redeemed: with which public key (SHA-256 of its SPKI), when, and what it was given. */
  redeemed: z
    .object({ spkiHash: z.string(), atMs: z.int(), certificatePem: z.string() })
    .optional(),
});
/** The one claim that a device has at a time. */
export type Claim = Readonly<z.infer<typeof ClaimSchema>>;
