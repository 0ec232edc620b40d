/**
 * The HTTP API: the shape of every request and response, used by the server and by its clients.
 * Requests refuse unknown fields; responses may gain fields, which older clients ignore.
 * Times in responses are ISO 8601 in UTC (`2026-11-21T03:47:00.000Z`); spans are milliseconds.
 * @module
 */
import { z } from 'zod';
import { BackupSummarySchema } from './api-backup.ts';
import { ClaimStateSchema } from './api-claim.ts';
import { DeviceViewSchema, deviceClass, deviceGroup, deviceTags } from './api-device-view.ts';
import { DiskSchema } from './api-disk.ts';
import { PASSWORD_LENGTH, line, name, text, time } from './api-fields.ts';
import { KeySummarySchema } from './api-keys.ts';
import { TokenScopeRequestSchema, TokenScopeViewSchema } from './api-tokens.ts';
import { TpmViewSchema } from './api-tpm.ts';
import { WitnessedSchema } from './api-witness.ts';

export { PASSWORD_LENGTH } from './api-fields.ts';
export * from './api-app-session.ts';
export * from './api-artifacts.ts';
export * from './api-authority.ts';
export * from './api-backup.ts';
export * from './api-keys.ts';
export * from './api-buckets.ts';
export * from './api-device-keys.ts';
export {
  DEVICE_CLASS_LIST,
  DEVICE_STATE_LIST,
  DEVICE_TAGS_MAX,
  DEVICE_UPDATE_STATE_LIST,
  type DeviceView,
  DeviceViewSchema,
} from './api-device-view.ts';
export * from './api-device-history.ts';
export * from './api-claim.ts';
export * from './api-device-rights.ts';
export * from './api-device-search.ts';
export * from './api-device-updates.ts';
export * from './api-devices.ts';
export * from './api-disk.ts';
export * from './api-evidence.ts';
export * from './api-figures.ts';
export * from './api-firmware.ts';
export * from './api-live.ts';
export * from './api-manufacturers.ts';
export * from './api-overview.ts';
export * from './api-owner.ts';
export * from './api-owner-refusals.ts';
export * from './api-people.ts';
export * from './api-policy.ts';
export * from './api-refusals.ts';
export * from './api-releases.ts';
export * from './api-revocation.ts';
export * from './api-rollouts.ts';
export * from './api-series.ts';
export * from './api-tokens.ts';
export * from './api-tpm.ts';
export * from './api-vulnerabilities.ts';
export * from './api-witness.ts';

/** Life of an API token in milliseconds: a minute, a year, and 90 days when nothing is asked for. */
export const TOKEN_LIFE_MS = { min: 60_000, max: 31_536_000_000, default: 7_776_000_000 } as const;
/** How many entries of a history one request may ask for. */
export const PAGE_LIMIT = { min: 1, max: 1_000, default: 100 } as const;
/** The session cookie. The prefix makes browsers insist on Secure, Path=/ and no Domain (RFC 6265bis). */
export const SESSION_COOKIE = '__Host-holdfast';
/** What every API token begins with, so that a leaked one is recognized. */
export const TOKEN_PREFIX = 'hf_';

const index = z.int().min(0);

// Errors

/** Every response with a status of 400 or above. */
export const ApiErrorSchema = z
  .object({
    error: z.object({
      /** Stable code, `E_<STAGE>_<CONDITION>`. */
      code: text(64),
      message: text(1_024),
      /** The next step. */
      fix: text(1_024),
    }),
  })
  .meta({ id: 'ApiError' });
export type ApiError = Readonly<z.infer<typeof ApiErrorSchema>>;

// Signing in

/** `POST /v1/sign-in/first`: makes the first operator with the one-time code of the terminal. */
export const FirstSignInRequestSchema = z
  .strictObject({
    /** Groups of base32, `XXXX-XXXX-XXXX-XXXX`; case and hyphens do not matter. */
    code: z.string().min(1).max(64),
    name,
    /** Without it the session is for nothing but setting up how the operator signs in. */
    password: z.string().min(PASSWORD_LENGTH.min).max(PASSWORD_LENGTH.max).optional(),
  })
  .meta({ id: 'FirstSignInRequest' });
export type FirstSignInRequest = Readonly<z.infer<typeof FirstSignInRequestSchema>>;

/** `POST /v1/sign-in`. */
export const SignInRequestSchema = z
  .strictObject({
    name: z.string().min(1).max(64),
    password: z.string().min(1).max(PASSWORD_LENGTH.max),
  })
  .meta({ id: 'SignInRequest' });
export type SignInRequest = Readonly<z.infer<typeof SignInRequestSchema>>;

/** `GET /v1/me`, and what a finished sign-in answers: who the credential stands for. */
export const MeSchema = z
  .object({
    /** `person:<name>`, or `local` for the token of the data folder. */
    principal: text(128),
    role: text(64),
    credential: z.enum(['session', 'token', 'local']),
    /** When the credential ends at the latest; absent when it ends with the server. */
    expiresAt: time.optional(),
    /** True while the session is good for nothing but setting up a second factor. */
    needsSecondFactor: z.boolean().optional(),
    /** When a second factor was last shown in this session; absent when none was. */
    steppedUpAt: time.optional(),
    /**
     * Actions of the policy that the caller might do to the server or to some device, once all is
     * shown that the policy asks for. Told by `GET /v1/me`.
     */
    may: z.array(text(64)).optional(),
    /** What the token is good for; absent when it has no scope, and of other credentials. */
    scope: TokenScopeViewSchema.optional(),
  })
  .meta({ id: 'Me' });
export type Me = Readonly<z.infer<typeof MeSchema>>;

// API tokens

/** `POST /v1/tokens`: needs a person's session. */
export const CreateTokenRequestSchema = z
  .strictObject({
    /** What it is for, to recognize it in the list. */
    label: line(64),
    lifeMs: z.int().min(TOKEN_LIFE_MS.min).max(TOKEN_LIFE_MS.max).default(TOKEN_LIFE_MS.default),
    /** Left out: it is good for all that the person may do. */
    scope: TokenScopeRequestSchema.optional(),
  })
  .meta({ id: 'CreateTokenRequest' });
export type CreateTokenRequest = Readonly<z.input<typeof CreateTokenRequestSchema>>;

/** The answer to `POST /v1/tokens`: the only time that the token is shown. */
export const CreatedTokenSchema = z
  .object({
    id: text(64),
    /** `hf_` and 43 characters of base64url. */
    token: text(64),
    expiresAt: time,
  })
  .meta({ id: 'CreatedToken' });
export type CreatedToken = Readonly<z.infer<typeof CreatedTokenSchema>>;

/** An API token as it is listed: never the token itself. */
export const TokenViewSchema = z
  .object({
    id: text(64),
    label: text(64),
    principal: text(128),
    createdAt: time,
    expiresAt: time,
    /** What it is good for; absent: all that the person may do. */
    scope: TokenScopeViewSchema.optional(),
  })
  .meta({ id: 'Token' });
export type TokenView = Readonly<z.infer<typeof TokenViewSchema>>;

/** `GET /v1/tokens`. */
export const TokenListSchema = z
  .object({ tokens: z.array(TokenViewSchema) })
  .meta({ id: 'TokenList' });
export type TokenList = Readonly<z.infer<typeof TokenListSchema>>;

/** Path of `DELETE /v1/tokens/{id}`. */
export const TokenPathSchema = z.strictObject({ id: name });

// The server

/** What a client pins: the server's certificate, and its key. */
export const PinsSchema = z
  .object({
    /** SHA-256 of the certificate (DER), lower-case hex. */
    certificate: text(64),
    /** SHA-256 of its SubjectPublicKeyInfo, base64 as in RFC 7469. */
    spki: text(44),
    /** The same of the key that the server will have next: a backup pin. */
    backupSpki: text(44),
  })
  .meta({ id: 'Pins' });
export type Pins = Readonly<z.infer<typeof PinsSchema>>;

/** `GET /v1/server`. */
export const ServerInfoSchema = z
  .object({
    version: text(64),
    /** `mqtts://host:port`. */
    broker: text(512),
    /** `https://host:port`. */
    api: text(512),
    /** `https://host:port`. */
    enroll: text(512),
    pins: PinsSchema,
    /** Verifier key of the audit log's checkpoints, in the form of C2SP signed-note. */
    verifierKey: text(512),
    startedAt: time,
    /** How the disk is that has the data. */
    disk: DiskSchema.optional(),
    backups: BackupSummarySchema.optional(),
    keys: KeySummarySchema.optional(),
    /** What witnesses have seen of the log; absent where there is none. */
    witnessed: z
      .object({
        /** The newest checkpoint that one of them has cosigned; absent before the first. */
        latest: WitnessedSchema.optional(),
        /** True when one of them has seen a log that this one is not. */
        isBehind: z.boolean(),
      })
      .optional(),
  })
  .meta({ id: 'ServerInfo' });
export type ServerInfo = Readonly<z.infer<typeof ServerInfoSchema>>;

// Devices

/** Path of everything below `/v1/devices/{id}`. */
export const DevicePathSchema = z.strictObject({ id: name });

/** `POST /v1/devices`: registers a device and makes its claim. */
export const AddDeviceRequestSchema = z
  .strictObject({
    id: name,
    class: deviceClass,
    group: deviceGroup.default(''),
    tags: deviceTags.default([]),
  })
  .meta({ id: 'AddDeviceRequest' });
export type AddDeviceRequest = Readonly<z.input<typeof AddDeviceRequestSchema>>;

/** An operational certificate as operators see it. */
export const CertificateViewSchema = z
  .object({
    /** SHA-256 of the certificate (DER), lower-case hex. */
    fingerprint: text(64),
    /** Lower-case hex. */
    serial: text(64),
    notBefore: time,
    notAfter: time,
    /** `pending`: renewed, and not used yet. */
    status: z.enum(['pending', 'current', 'superseded', 'revoked']),
  })
  .meta({ id: 'Certificate' });
export type CertificateView = Readonly<z.infer<typeof CertificateViewSchema>>;

/** `GET /v1/devices/{id}`: certificates are listed oldest first. */
export const DeviceDetailSchema = z
  .object({
    device: DeviceViewSchema,
    certificates: z.array(CertificateViewSchema),
    /** The claim that was made last; absent when there was none, or its access has ended. */
    claim: ClaimStateSchema.optional(),
    /** Its TPM; absent when it has shown none. */
    tpm: TpmViewSchema.optional(),
  })
  .meta({ id: 'DeviceDetail' });
export type DeviceDetail = Readonly<z.infer<typeof DeviceDetailSchema>>;

/** A claim at the one time that its secret is shown. */
export const ClaimViewSchema = z
  .object({
    /** The claim text, for a QR code or the command line. */
    text: text(1_024),
    /** The one-time secret in base64url; also the EST password. */
    secret: text(43),
    expiresAt: time,
  })
  .meta({ id: 'Claim' });
export type ClaimView = Readonly<z.infer<typeof ClaimViewSchema>>;

/** The answer to `POST /v1/devices` and to `POST /v1/devices/{id}/claim`. */
export const ClaimedDeviceSchema = z
  .object({ device: DeviceViewSchema, claim: ClaimViewSchema })
  .meta({ id: 'ClaimedDevice' });
export type ClaimedDevice = Readonly<z.infer<typeof ClaimedDeviceSchema>>;

/** Members of a command that the server adds itself: a caller cannot choose them. */
const SERVER_MEMBERS: readonly string[] = ['cmd', 'ctr', 'ts', 'sig'];

/** `POST /v1/devices/{id}/commands`: published signed on `d/<id>/cmd/<name>`. */
export const SendCommandRequestSchema = z
  .strictObject({
    name,
    /** The command itself; the server adds "cmd", "ctr", "ts" and "sig". */
    body: z
      .record(z.string().max(256), z.unknown())
      .refine((body) => !SERVER_MEMBERS.some((member) => Object.hasOwn(body, member)), {
        message: 'must not contain "cmd", "ctr", "ts" or "sig": the server adds them',
      }),
  })
  .meta({ id: 'SendCommandRequest' });
export type SendCommandRequest = Readonly<z.infer<typeof SendCommandRequestSchema>>;

/** The answer to a command. */
export const SentCommandSchema = z
  .object({
    /** Its place in the audit log. */
    index,
    /** 1 when a session of the device has it, to be sent at once or when it is back; else 0. */
    receivers: z.int().min(0).max(1),
  })
  .meta({ id: 'SentCommand' });
export type SentCommand = Readonly<z.infer<typeof SentCommandSchema>>;

// Histories

/** Query of a history: the newest entries first. */
export const PageQuerySchema = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(PAGE_LIMIT.min)
    .max(PAGE_LIMIT.max)
    .default(PAGE_LIMIT.default),
  /** Only entries with a smaller index. */
  before: z.coerce.number().int().min(1).optional(),
});
export type PageQuery = Readonly<{ limit?: number; before?: number }>;

/** A verified message; also the data of the event `reading` of the stream. */
export const ReadingViewSchema = z
  .object({
    index,
    at: time,
    device: text(64),
    topic: text(1_024),
    /** Key id that signed it, `epoch.generation`. */
    kid: text(255),
    /** The exact payload: signed JSON. */
    payload: text(1_048_576),
  })
  .meta({ id: 'Reading' });
export type ReadingView = Readonly<z.infer<typeof ReadingViewSchema>>;

/** `GET /v1/devices/{id}/readings`. */
export const ReadingListSchema = z
  .object({ readings: z.array(ReadingViewSchema) })
  .meta({ id: 'ReadingList' });
export type ReadingList = Readonly<z.infer<typeof ReadingListSchema>>;

/** A refusal on the audit log; also the data of the event `refusal` of the stream. */
export const RefusalViewSchema = z
  .object({
    index,
    at: time,
    /** Stable code, `E_<STAGE>_<CONDITION>`. */
    code: text(64),
    /** What the code means, in plain words. */
    what: text(1_024),
    /** What may be behind it. */
    couldMean: text(1_024).optional(),
    /** The next step. */
    fix: text(1_024),
    /** What was found this time. */
    detail: text(65_536),
    /** Proven identity; absent when unknown. */
    principal: text(65_536).optional(),
    /** IP address of the peer. */
    address: text(64).optional(),
    /** Topic name or filter, or HTTP path. */
    topic: text(65_536).optional(),
    /** What the peer claimed to be. Never trusted. */
    claimed: text(65_536).optional(),
    /** How many like it this one stands for. */
    count: z.int().min(1),
  })
  .meta({ id: 'Refusal' });
export type RefusalView = Readonly<z.infer<typeof RefusalViewSchema>>;

/** `GET /v1/refusals`. */
export const RefusalListSchema = z
  .object({
    refusals: z.array(RefusalViewSchema),
    /** There may be more: give it as `before` to look further back. */
    next: z.int().min(1).optional(),
  })
  .meta({ id: 'RefusalList' });
export type RefusalList = Readonly<z.infer<typeof RefusalListSchema>>;

/** An administrative act on the audit log. */
export const ActViewSchema = z
  .object({
    index,
    at: time,
    /** `noun.verb`, such as `device.revoke`. */
    action: text(256),
    principal: text(65_536),
    target: text(65_536).optional(),
    reason: text(65_536).optional(),
    facts: z.record(z.string().max(256), z.unknown()).optional(),
  })
  .meta({ id: 'Act' });
export type ActView = Readonly<z.infer<typeof ActViewSchema>>;

/** `GET /v1/audit/acts`. */
export const ActListSchema = z.object({ acts: z.array(ActViewSchema) }).meta({ id: 'ActList' });
export type ActList = Readonly<z.infer<typeof ActListSchema>>;
