/**
 * The HTTP API: the update repository, its keys, and what is to be signed. Part of `api.ts`.
 * Metadata files are those of TUF, as base64; what they may say, `@holdfast/firmware` checks.
 * @module
 */
import { z } from 'zod';
import { ArtifactFiguresSchema } from './api-artifacts.ts';
import { text, time } from './api-fields.ts';

/** Largest metadata file in a request, in bytes: the document of a product line. */
export const FIRMWARE_DOCUMENT_BYTES_MAX = 4_194_304;
/** Most documents of one signing request: two roots, the targets, and some product lines. */
export const FIRMWARE_DOCUMENTS_MAX = 16;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/u);
const version = z.int().min(1).max(2_147_483_647);
const repository = z.enum(['image', 'director']);
const role = z
  .string()
  .regex(/^(?:root|targets|snapshot|timestamp|line-[a-z0-9][a-z0-9-]{0,31})$/u);
const metadata = z.base64().max(Math.ceil(FIRMWARE_DOCUMENT_BYTES_MAX / 3) * 4);
/** SubjectPublicKeyInfo. */
const publicKeyPem = text(512);

/** Most older roots that a signing request shows, of both repositories together. */
export const FIRMWARE_HISTORY_MAX = 128;

/** A metadata file of TUF, and which role's it is. */
export const FirmwareDocumentSchema = z.strictObject({ repository, role, metadata });
export type FirmwareDocument = Readonly<z.infer<typeof FirmwareDocumentSchema>>;

/** `POST /v1/firmware/requests`: documents without signatures that are to be published together. */
export const MakeSigningRequestSchema = z
  .strictObject({
    documents: z.array(FirmwareDocumentSchema).min(1).max(FIRMWARE_DOCUMENTS_MAX),
  })
  .meta({ id: 'MakeSigningRequest' });
export type MakeSigningRequest = Readonly<z.infer<typeof MakeSigningRequestSchema>>;

/**
 * A signing request, as a file and as the answer to `GET /v1/firmware/requests/{id}`. A signer
 * believes nothing of it but what their own program finds in the documents.
 */
export const SigningRequestSchema = z
  .strictObject({
    type: z.literal('holdfast-signing-request/1'),
    /** SHA-256 over the documents, see `requestId` of `@holdfast/firmware`. */
    id: sha256,
    documents: z.array(FirmwareDocumentSchema).min(1).max(FIRMWARE_DOCUMENTS_MAX),
    /** What is published now, with its signatures: of these roles and of those that say who signs. */
    published: z.array(FirmwareDocumentSchema).max(FIRMWARE_DOCUMENTS_MAX + 3),
    /** Older roots, so that a signer who missed ceremonies can follow from the last one they saw. */
    history: z.array(FirmwareDocumentSchema).max(FIRMWARE_HISTORY_MAX).default([]),
  })
  .meta({ id: 'SigningRequest' });
export type SigningRequest = Readonly<z.infer<typeof SigningRequestSchema>>;

/** `POST /v1/firmware/signatures`: what one key has signed of a request; also the file of it. */
export const SignatureFileSchema = z
  .strictObject({
    type: z.literal('holdfast-signatures/1'),
    /** Id of the request. */
    request: sha256,
    keyId: sha256,
    signatures: z
      .array(
        z.strictObject({
          repository,
          role,
          version,
          /** Over the canonical JSON of the document: Ed25519, or ECDSA as DER. */
          signature: z.string().regex(/^(?:[0-9a-f]{2}){8,80}$/u),
        }),
      )
      .min(1)
      .max(FIRMWARE_DOCUMENTS_MAX),
  })
  .meta({ id: 'SignatureFile' });
export type SignatureFile = Readonly<z.infer<typeof SignatureFileSchema>>;

/** A key of a role, and who has it. */
const signer = z.object({
  keyId: sha256,
  /** As the root names its owner; empty for a key of the server. */
  name: text(64),
  algorithm: z.enum(['ed25519', 'ecdsa-p256']),
});

/** How a signing request stands. */
export const SigningRequestViewSchema = z
  .object({
    id: sha256,
    madeAt: time,
    /** `principal` of who handed it over. */
    madeBy: text(128),
    documents: z.array(
      z.object({
        repository,
        role,
        version,
        expiresAt: time,
        /** Who must sign it: each of these groups, on its own. */
        needs: z.array(
          z.object({
            /** `root`, `root before`, `targets`, `line-thermo`. */
            who: text(64),
            threshold: z.int().min(1),
            signers: z.array(signer.extend({ hasSigned: z.boolean() })),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'SigningRequestView' });
export type SigningRequestView = Readonly<z.infer<typeof SigningRequestViewSchema>>;

/** `GET /v1/firmware/requests`: the open ones, oldest first. */
export const SigningRequestListSchema = z
  .object({ requests: z.array(SigningRequestViewSchema) })
  .meta({ id: 'SigningRequestList' });

/** Path of `/v1/firmware/requests/{id}`. */
export const SigningRequestPathSchema = z.strictObject({ id: sha256 });

/** The answer to `POST /v1/firmware/signatures`. */
export const SubmittedSignaturesSchema = z
  .object({
    request: SigningRequestViewSchema,
    /** True when this was what was missing: the documents are published now. */
    isPublished: z.boolean(),
  })
  .meta({ id: 'SubmittedSignatures' });
export type SubmittedSignatures = Readonly<z.infer<typeof SubmittedSignaturesSchema>>;

/** The answer to `POST /v1/firmware/requests`. */
export const MadeSigningRequestSchema = z
  .object({ request: SigningRequestSchema, view: SigningRequestViewSchema })
  .meta({ id: 'MadeSigningRequest' });
export type MadeSigningRequest = Readonly<z.infer<typeof MadeSigningRequestSchema>>;

/** The keys that the server signs with, by role: public keys as PEM. */
const onlineKeys = z.object({
  image: z.object({ snapshot: publicKeyPem, timestamp: publicKeyPem }),
  director: z.object({ targets: publicKeyPem, snapshot: publicKeyPem, timestamp: publicKeyPem }),
});

/**
 * `GET /v1/firmware/online-keys`, and the answer to `POST /v1/firmware/online-keys`, which makes
 * new ones. Keys of `next` sign from when roots are published that name them.
 */
export const OnlineKeysSchema = z
  .object({ current: onlineKeys, next: onlineKeys.optional() })
  .meta({ id: 'OnlineKeys' });
export type OnlineKeys = Readonly<z.infer<typeof OnlineKeysSchema>>;

/** `GET /v1/firmware/published`: the newest of each role that people sign, with its signatures. */
export const PublishedFirmwareSchema = z
  .object({ documents: z.array(FirmwareDocumentSchema) })
  .meta({ id: 'PublishedFirmware' });
export type PublishedFirmware = Readonly<z.infer<typeof PublishedFirmwareSchema>>;

/** `GET /v1/firmware`: every role, when it ends, and who signs it. */
export const FirmwareStatusSchema = z
  .object({
    /** False before the first roots are published. */
    isInitialized: z.boolean(),
    roles: z.array(
      z.object({
        repository,
        role,
        version,
        expiresAt: time,
        /** True: it ends so soon that somebody has to act now. */
        isEndingSoon: z.boolean(),
        threshold: z.int().min(1),
        signers: z.array(signer),
      }),
    ),
    openRequests: z.int().min(0),
    /** What is stored, and how much of it could go; servers before did not tell. */
    artifacts: ArtifactFiguresSchema.optional(),
  })
  .meta({ id: 'FirmwareStatus' });
export type FirmwareStatus = Readonly<z.infer<typeof FirmwareStatusSchema>>;
