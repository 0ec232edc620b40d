/** The HTTP API: the certificate authority and its rotation. @module */
import { z } from 'zod';
import { PASSWORD_LENGTH, line, text, time } from './api-fields.ts';

/** Shortest and longest passphrase of an exported root key: as that of a password. */
export const PASSPHRASE_LENGTH = PASSWORD_LENGTH;

const byRole = <T extends z.ZodType>(one: T): z.ZodObject<{ devices: T; servers: T; apps: T }> =>
  z.strictObject({ devices: one, servers: one, apps: one });

const IssuingAuthorityViewSchema = z.object({
  /** SHA-256 of the certificate (DER), lower-case hex. */
  fingerprint: text(64),
  /** Subject key identifier, lower-case hex. */
  keyId: text(64),
  notAfter: time,
});

/** What still depends on a generation. */
const GenerationUseSchema = z.object({
  /** Certificates that count, of devices and of apps, and that this generation issued. */
  certificates: z.int().min(0),
  /** Some of the devices that have them. */
  devices: z.array(text(64)),
  /** Apps of owners that have one of them. */
  apps: z.int().min(0),
  /** When the last of these certificates ends; absent when there is none. */
  lastEndsAt: time.optional(),
});

export const GenerationViewSchema = z
  .object({
    number: z.int().min(1),
    /** `next` is published, `issuing` issues, `trusted` issues no more, `ended` counts no more. */
    state: z.enum(['next', 'issuing', 'trusted', 'ended']),
    madeAt: time,
    devices: IssuingAuthorityViewSchema,
    servers: IssuingAuthorityViewSchema,
    apps: IssuingAuthorityViewSchema,
    inUse: GenerationUseSchema,
  })
  .meta({ id: 'Generation' });
export type GenerationView = Readonly<z.infer<typeof GenerationViewSchema>>;

/** `GET /v1/ca`, and the answer to each step of a rotation. */
export const AuthorityStatusSchema = z
  .object({
    root: z.object({
      /** SHA-256 of the certificate (DER), lower-case hex. */
      fingerprint: text(64),
      notAfter: time,
      /** False when the key of the root is kept offline. */
      isKeyHere: z.boolean(),
    }),
    /** Where the issuing keys are: `data folder`, or `token <label>`. */
    custody: text(256),
    /** Oldest first. */
    generations: z.array(GenerationViewSchema),
    /** The step that a rotation is at. */
    next: z.enum(['prepare', 'switch', 'finish']),
  })
  .meta({ id: 'AuthorityStatus' });
export type AuthorityStatus = Readonly<z.infer<typeof AuthorityStatusSchema>>;

/** Longest certificate or certificate request in PEM. */
const PEM_CHARACTERS_MAX = 4_096;
const pem = z.string().min(1).max(PEM_CHARACTERS_MAX);

/** The answer to `POST /v1/ca/requests`: what an offline root is to sign, PKCS#10 in PEM. */
export const GenerationRequestSchema = z
  .object({ generation: z.int().min(1), tenant: text(64), requests: byRole(text(4_096)) })
  .meta({ id: 'GenerationRequest' });
export type GenerationRequest = Readonly<z.infer<typeof GenerationRequestSchema>>;

/** `POST /v1/ca/prepare`: the certificates are needed when the root is offline. */
export const PrepareGenerationRequestSchema = z
  .strictObject({ certificates: byRole(pem).optional() })
  .meta({ id: 'PrepareGenerationRequest' });
export type PrepareGenerationRequest = Readonly<z.infer<typeof PrepareGenerationRequestSchema>>;

/** `POST /v1/ca/finish`: with a reason, also while certificates are still in use; they end. */
export const FinishRotationRequestSchema = z
  .strictObject({ force: line(256).optional() })
  .meta({ id: 'FinishRotationRequest' });
export type FinishRotationRequest = Readonly<z.infer<typeof FinishRotationRequestSchema>>;

/** `POST /v1/ca/root/export`. */
export const ExportRootRequestSchema = z
  .strictObject({ passphrase: z.string().min(PASSPHRASE_LENGTH.min).max(PASSPHRASE_LENGTH.max) })
  .meta({ id: 'ExportRootRequest' });
export type ExportRootRequest = Readonly<z.infer<typeof ExportRootRequestSchema>>;

/** The answer to `POST /v1/ca/root/export`. */
export const ExportedRootSchema = z
  .object({
    /** Key, encrypted with the passphrase, and certificate, in PEM. */
    rootPem: text(8_192),
    /** To be signed with the exported key for `POST /v1/ca/root/forget`. */
    challenge: text(64),
  })
  .meta({ id: 'ExportedRoot' });
export type ExportedRoot = Readonly<z.infer<typeof ExportedRootSchema>>;

/** `POST /v1/ca/root/forget`. */
export const ForgetRootRequestSchema = z
  .strictObject({
    /** ECDSA signature, DER in base64, by the key in the exported file. */
    proof: z.base64().min(1).max(256),
  })
  .meta({ id: 'ForgetRootRequest' });
export type ForgetRootRequest = Readonly<z.infer<typeof ForgetRootRequestSchema>>;
