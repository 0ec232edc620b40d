/** The HTTP API: stored artifacts, what needs them, and their removal. Part of `api.ts`. @module */
import { z } from 'zod';
import { line, text, time } from './api-fields.ts';

/** Most artifacts that one request names. */
export const ARTIFACTS_NAMED_MAX = 256;

/** What can need an artifact. */
export const ARTIFACT_NEEDS = [
  /** A release that devices can be told of names it. */
  'published',
  /** A release that waits for signatures names it. */
  'waiting',
  /** A rollout brings its release, or may go back to it. */
  'rollout',
  /** A delta of a release is made from it. */
  'delta-source',
  /** Its release is assigned to devices. */
  'assigned',
  /** Devices are at work on its release. */
  'installing',
  /** Devices run it. */
  'running',
  /** It is the list of known vulnerabilities. */
  'advisories',
  /** It came lately, and nothing else needs it: it goes only when somebody names it. */
  'recent',
] as const;
export type ArtifactNeedCode = (typeof ARTIFACT_NEEDS)[number];

/** How a release stands that names an artifact. */
export const RELEASE_STAGES = ['published', 'waiting', 'retired'] as const;
export type ReleaseStage = (typeof RELEASE_STAGES)[number];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/u, 'must be SHA-256 in hexadecimal');
const count = z.int().min(0);
const total = z.object({ count, bytes: count });
/** Uploads whose chunks are stored, and that this server knows nothing of. */
const strays = z.object({ uploads: count, bytes: count });

/** A stored artifact, and why it stays. */
export const StoredArtifactSchema = z
  .object({
    sha256,
    length: z.int().min(1),
    storedAt: time,
    /** Principal who brought it. */
    by: text(128),
    /** False: chunks of it are missing where it is kept. */
    isWhole: z.boolean(),
    /** The releases that name it, those that were taken back too; none for an upload by itself. */
    releases: z.array(
      z.object({
        id: text(65),
        kind: z.enum(['image', 'delta', 'sbom', 'suit']),
        stage: z.enum(RELEASE_STAGES),
      }),
    ),
    /** What needs it; nothing: it could go. */
    needs: z.array(z.object({ code: z.enum(ARTIFACT_NEEDS), why: text(512) })),
  })
  .meta({ id: 'StoredArtifact' });
export type StoredArtifact = Readonly<z.infer<typeof StoredArtifactSchema>>;

/** How much is stored, and how much of it could go. */
export const ArtifactFiguresSchema = z
  .object({ stored: total, unneeded: total })
  .meta({ id: 'ArtifactFigures' });
export type ArtifactFigures = Readonly<z.infer<typeof ArtifactFiguresSchema>>;

/** `GET /v1/firmware/artifacts`, the largest first. */
export const StoredArtifactListSchema = ArtifactFiguresSchema.extend({
  artifacts: z.array(StoredArtifactSchema),
  /** As of the last look. */
  strays,
  /** Uploads whose chunks are being removed, or are removed once a backup has ended. */
  removing: count,
}).meta({ id: 'StoredArtifactList' });
export type StoredArtifactList = Readonly<z.infer<typeof StoredArtifactListSchema>>;

/** `POST /v1/firmware/artifacts/remove`: what is needed is never removed. */
export const RemoveArtifactsRequestSchema = z
  .strictObject({
    /** These; nothing is removed when one of them is needed. */
    artifacts: z.array(sha256).max(ARTIFACTS_NAMED_MAX).default([]),
    /** All that nothing needs. */
    unneeded: z.boolean().default(false),
    /** Chunks that belong to nothing this server knows. */
    strays: z.boolean().default(false),
    /** Only says what would go. */
    dryRun: z.boolean().default(false),
    reason: line(256).optional(),
  })
  .meta({ id: 'RemoveArtifactsRequest' });
export type RemoveArtifactsRequest = z.input<typeof RemoveArtifactsRequestSchema>;

/** What went; with `dryRun`, what would go. */
export const RemovedArtifactsSchema = z
  .object({
    artifacts: z.array(StoredArtifactSchema),
    removed: total,
    strays,
    /** What stays, with why; only with `dryRun`. */
    stays: z.array(StoredArtifactSchema),
  })
  .meta({ id: 'RemovedArtifacts' });
export type RemovedArtifacts = Readonly<z.infer<typeof RemovedArtifactsSchema>>;
