/** The HTTP API: artifacts, releases, and what devices run. Part of `api.ts`. @module */
import { z } from 'zod';
import { line, text, time } from './api-fields.ts';

/** Life of a document that names releases, in days. */
export const LINE_DAYS = { min: 1, max: 365 } as const;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/u, 'must be SHA-256 in hexadecimal');
const lineName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/u, 'must be a name of a-z 0-9 -');
const releaseId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}@[0-9][0-9A-Za-z.+-]{0,31}$/u, 'must be LINE@VERSION');

/** `POST /v1/firmware/uploads`. */
export const BeginUploadRequestSchema = z
  .strictObject({ length: z.int().min(1) })
  .meta({ id: 'BeginUploadRequest' });

/** How far an upload is. */
export const UploadSchema = z
  .object({
    id: text(64),
    /** Bytes so far: where the next part begins. */
    received: z.int().min(0),
    /** Most bytes of one part. */
    partBytes: z.int().min(1),
  })
  .meta({ id: 'Upload' });
export type Upload = Readonly<z.infer<typeof UploadSchema>>;

/** Path of `/v1/firmware/uploads/{upload}`. */
export const UploadPathSchema = z.strictObject({ upload: z.string().regex(/^[0-9a-f]{1,64}$/u) });
/** Query of `PUT /v1/firmware/uploads/{upload}`. */
export const UploadQuerySchema = z.strictObject({
  /** Where the part begins, in bytes. */
  at: z.coerce.number().int().min(0),
});

/** An artifact that is stored. */
export const ArtifactViewSchema = z
  .object({ sha256, length: z.int().min(1) })
  .meta({ id: 'Artifact' });
export type ArtifactView = Readonly<z.infer<typeof ArtifactViewSchema>>;

/** What is said of a release; the server checks it as `ReleaseCustomSchema` of firmware does. */
const facts = {
  line: lineName,
  version: z.string().min(1).max(32),
  hardware: z.array(lineName).min(1).max(64),
  /** Security counter: devices refuse an image with a lower one than theirs. */
  counter: z.int().min(0),
  minimumVersion: z.string().min(1).max(32).optional(),
  sbom: z.strictObject({ sha256, length: z.int().min(1) }).optional(),
  severity: z.enum(['none', 'low', 'medium', 'high', 'critical']).optional(),
  fixes: z.array(line(64)).max(256).optional(),
  deltas: z
    .array(z.strictObject({ from: sha256, sha256, length: z.int().min(1) }))
    .max(16)
    .optional(),
  detached: z
    .array(
      z.strictObject({
        algorithm: z.enum(['ecdsa-p256-sha256', 'ed25519']),
        keyId: sha256,
        signature: z.base64().max(256),
      }),
    )
    .max(8)
    .optional(),
  suit: z.strictObject({ sha256, length: z.int().min(1) }).optional(),
  /** What a good boot of it measures into the PCRs of a TPM, in order. */
  measurements: z
    .array(
      z.strictObject({
        pcr: z.int().min(0).max(23),
        events: z.array(sha256).min(1).max(256),
      }),
    )
    .min(1)
    .max(24)
    .optional(),
};

/**
 * `POST /v1/firmware/releases`: makes the signing request of the product line with this release,
 * and with those that wait in open requests of the line, which end by it.
 */
export const ProposeReleaseRequestSchema = z
  .strictObject({
    /** Of the artifact, which is stored already. */
    sha256,
    /** Last part of the path of the target. */
    fileName: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/u, 'must be a plain file name'),
    release: z.strictObject(facts),
    /** Life of the document of the line. */
    days: z.int().min(LINE_DAYS.min).max(LINE_DAYS.max).optional(),
  })
  .meta({ id: 'ProposeReleaseRequest' });
export type ProposeReleaseRequest = Readonly<z.infer<typeof ProposeReleaseRequestSchema>>;

/** `POST /v1/firmware/lines/{line}`: the releases of a line anew, without those that are named. */
export const ProposeLineRequestSchema = z
  .strictObject({
    /** Releases that devices are told of no more. */
    retire: z.array(releaseId).max(100).default([]),
    days: z.int().min(LINE_DAYS.min).max(LINE_DAYS.max).optional(),
  })
  .meta({ id: 'ProposeLineRequest' });
export type ProposeLineRequest = z.input<typeof ProposeLineRequestSchema>;

/** Path of `/v1/firmware/lines/{line}`. */
export const LinePathSchema = z.strictObject({ line: lineName });

/** A published release. */
export const ReleaseViewSchema = z
  .object({
    /** `<line>@<version>`. */
    id: text(65),
    path: text(256),
    length: z.int().min(1),
    sha256,
    facts: z.object(facts),
    /** False: its artifact is missing here, as after a backup was restored. */
    isStored: z.boolean(),
    /** Devices that are to run it. */
    assigned: z.int().min(0),
    /** Devices that confirmed it last. */
    confirmed: z.int().min(0),
  })
  .meta({ id: 'Release' });
export type ReleaseView = Readonly<z.infer<typeof ReleaseViewSchema>>;

/** `GET /v1/firmware/releases`, in the order of lines and of publication. */
export const ReleaseListSchema = z
  .object({ releases: z.array(ReleaseViewSchema) })
  .meta({ id: 'ReleaseList' });

/** `PUT /v1/devices/{id}/update`. */
export const AssignReleaseRequestSchema = z
  .strictObject({
    /** What it is to run; null: nothing else than now. */
    release: releaseId.nullable(),
    reason: line(256).optional(),
  })
  .meta({ id: 'AssignReleaseRequest' });
export type AssignReleaseRequest = Readonly<z.infer<typeof AssignReleaseRequestSchema>>;

/** `GET /v1/devices/{id}/update`. */
export const DeviceUpdateViewSchema = z
  .object({
    device: text(64),
    /** What it is to run; absent: nothing else than now. */
    assigned: z
      .object({
        release: text(65),
        since: time,
        by: text(128),
        /** False: people took the release back, so that the device is not told of it any more. */
        isPublished: z.boolean(),
      })
      .optional(),
    /** What it told last; absent when it never did. */
    reported: z
      .object({
        release: text(65),
        state: text(32),
        since: time,
        at: time,
        running: sha256.optional(),
        /** The release of which it runs the image, as far as that is known here. */
        runs: text(65).optional(),
        hardware: text(32).optional(),
        counter: z.int().min(0).optional(),
        why: text(256).optional(),
      })
      .optional(),
  })
  .meta({ id: 'DeviceUpdate' });
export type DeviceUpdateView = Readonly<z.infer<typeof DeviceUpdateViewSchema>>;
