/** The records of owners' apps and of what they have, as they are kept. @module */
import { z } from 'zod';

/** Who has a device. */
export const PairingSchema = z.object({
  deviceId: z.string(),
  ownerId: z.string(),
  sinceMs: z.int(),
});
export type Pairing = Readonly<z.infer<typeof PairingSchema>>;

const AppCertificateSchema = z.object({
  /** SHA-256 of the DER certificate, lower-case hex. */
  fingerprint: z.string(),
  /** SHA-256 of its public key, lower-case hex. */
  spkiHash: z.string(),
  notAfterMs: z.int(),
  /** Key identifier of the authority that issued it; records from before have none. */
  issuerKeyId: z.string().optional(),
});
/** A certificate that an app was issued. */
export type AppCertificate = Readonly<z.infer<typeof AppCertificateSchema>>;

export const OwnerAppSchema = z.object({
  /** `<owner>.<app>`: who reads it in the log knows both. */
  id: z.string(),
  ownerId: z.string(),
  certificate: AppCertificateSchema,
  /** Renewed and not used yet: its first use ends the one before it. */
  pending: AppCertificateSchema.extend({ certificatePem: z.string() }).optional(),
  createdAtMs: z.int(),
  lastSeenAtMs: z.int(),
});
/** An app of an owner. */
export type OwnerApp = Readonly<z.infer<typeof OwnerAppSchema>>;

export const PairCodeRecordSchema = z.object({
  /** What it is for: a device id, or `owner:<id>`. */
  of: z.string(),
  /** SHA-256 of the code, lower-case hex; the code itself is never kept. */
  hash: z.string(),
  /** Absent: until it is used. */
  expiresAtMs: z.int().optional(),
  /** Set when used: with which key, when, and what it was given. */
  used: z
    .object({
      spkiHash: z.string(),
      atMs: z.int(),
      appId: z.string(),
      certificatePem: z.string(),
    })
    .optional(),
});
/** The one pairing code that a device, or an owner, has at a time. */
export type PairCodeRecord = Readonly<z.infer<typeof PairCodeRecordSchema>>;
export type UsedPairCode = NonNullable<PairCodeRecord['used']>;

/** What every owner id begins with: no device id has a colon. */
export const OWNER_PREFIX = 'owner:';
/** What the principal of every app begins with. */
const APP_PREFIX = 'app:';

/** How the log calls an app, and the policy knows it. */
export function appPrincipal(appId: string): string {
  return APP_PREFIX + appId;
}

/** The app that a principal is; undefined for one that is no app. */
export function appOfPrincipal(principal: string): string | undefined {
  return principal.startsWith(APP_PREFIX) ? principal.slice(APP_PREFIX.length) : undefined;
}
