/** The HTTP API: sessions of owners' pages, and what these see. Part of `api.ts`. @module */
import { z } from 'zod';
import { name, text, time } from './api-fields.ts';

/** The cookie of an owner's page; see `SESSION_COOKIE` for the prefix. */
export const APP_SESSION_COOKIE = '__Host-holdfast-app';

/** How long a challenge may be answered, in milliseconds: a phone signs at once. */
export const APP_CHALLENGE_LIFE_MS = 60_000;

/** Longest challenge, in characters of base64url: 56 bytes take 75. */
const CHALLENGE_CHARACTERS_MAX = 128;
/** Longest chain of certificates in PEM, in characters. */
const CHAIN_CHARACTERS_MAX = 16_384;

const challenge = z
  .string()
  .min(1)
  .max(CHALLENGE_CHARACTERS_MAX)
  .regex(/^[A-Za-z0-9_-]+$/u, 'must be base64url');

/** `POST /v1/app/session/challenge`. */
export const AppChallengeSchema = z
  .object({
    /** What is to be signed, see `formatAppProof`. It is good once. */
    challenge,
    expiresAt: time,
  })
  .meta({ id: 'AppChallenge' });
export type AppChallenge = Readonly<z.infer<typeof AppChallengeSchema>>;

/** `POST /v1/app/session`. */
export const StartAppSessionRequestSchema = z
  .strictObject({
    challenge,
    /** The certificate of the app, PEM; what follows it is not looked at. */
    certificate: z.string().min(1).max(CHAIN_CHARACTERS_MAX),
    /** ES256 over `formatAppProof`: 64 bytes (r and s, IEEE P1363), base64url. */
    signature: z.string().regex(/^[A-Za-z0-9_-]{86}$/u, 'must be 64 bytes in base64url'),
  })
  .meta({ id: 'StartAppSessionRequest' });
export type StartAppSessionRequest = Readonly<z.infer<typeof StartAppSessionRequestSchema>>;

/** The answer to `POST /v1/app/session`, which sets the cookie. */
export const AppSessionSchema = z
  .object({
    app: text(64),
    expiresAt: time,
    /** When the certificate ends: renew it before. */
    notAfter: time,
  })
  .meta({ id: 'AppSession' });
export type AppSession = Readonly<z.infer<typeof AppSessionSchema>>;

/** A command that an app of the owner has sent. */
export const OwnedCommandSchema = z
  .object({
    /** Its place in the audit log. */
    index: z.int().min(0),
    at: time,
    name: text(1_024),
    /** The exact signed payload. */
    payload: text(1_048_576),
    /** Whether the app that asks has sent it. */
    isOwn: z.boolean(),
    /** What the device answered, see `DeviceCommandView`. Absent: nothing was found. */
    ack: z.object({ index: z.int().min(0), at: time, payload: text(1_048_576) }).optional(),
  })
  .meta({ id: 'OwnedCommand' });
export type OwnedCommand = Readonly<z.infer<typeof OwnedCommandSchema>>;

/** `GET /v1/app/devices/{id}/commands`; for `next` see `DeviceActListSchema`. */
export const OwnedCommandListSchema = z
  .object({ commands: z.array(OwnedCommandSchema), next: z.int().min(0).optional() })
  .meta({ id: 'OwnedCommandList' });
export type OwnedCommandList = Readonly<z.infer<typeof OwnedCommandListSchema>>;

/** Query of `GET /v1/app/readings/latest`. */
export const AppLatestQuerySchema = z.strictObject({
  /** Only devices whose ids come after this one: `next` of the page before. */
  after: name.optional(),
});
