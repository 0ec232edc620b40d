/** The HTTP API: backups, exports, and erasure. Part of `api.ts`. @module */
import { z } from 'zod';
import { line, name, text, time } from './api-fields.ts';

/** Characters of a destination: a path, or the name of a bucket and a prefix. */
const DESTINATION_MAX = 1_024;
/** Hours between backups by schedule: at least one, at most 90 days. */
export const BACKUP_EVERY_HOURS = { min: 1, max: 2_160 } as const;
/** Backups that a pruning keeps. */
export const BACKUPS_KEPT = { min: 1, max: 10_000 } as const;

const destination = line(DESTINATION_MAX);
const count = z.int().min(0);

/** How a backup stands to the artifacts of updates. */
const artifactsOfBackup = z.object({
  /** How many there were. */
  count,
  /** How many of them were not whole on the server, and are not in it either. */
  missing: count,
  /** The bucket that they are kept in, where backups leave them out. */
  leftOut: text(DESTINATION_MAX).optional(),
});

/** `POST /v1/backups`. */
export const MakeBackupRequestSchema = z
  .strictObject({
    /** `folder:/path` on the server, or `s3://bucket/prefix`. */
    to: destination,
  })
  .meta({ id: 'MakeBackupRequest' });
export type MakeBackupRequest = Readonly<z.infer<typeof MakeBackupRequestSchema>>;

/** A backup under way, or the last one since the start of the server. */
export const BackupRunSchema = z
  .object({
    to: text(DESTINATION_MAX),
    startedAt: time,
    state: z.enum(['running', 'made', 'failed']),
    /** Bytes that were read, those of them that were new, and about how many there are. */
    bytes: count,
    newBytes: count,
    totalBytes: count,
    /** Of one that was made. */
    backup: text(64).optional(),
    checkpoint: text(16_384).optional(),
    artifacts: artifactsOfBackup.optional(),
    /** Of one that failed. */
    why: text(1_024).optional(),
  })
  .meta({ id: 'BackupRun' });
export type BackupRun = Readonly<z.infer<typeof BackupRunSchema>>;

/** `GET /v1/backups/status`. */
export const BackupStatusSchema = z
  .object({
    run: BackupRunSchema.optional(),
    destinations: z.array(
      z.object({
        name: text(DESTINATION_MAX),
        lastBackup: z
          .object({
            id: text(64),
            at: time,
            bytes: count,
            newBytes: count,
            /** Absent when it was made by a version that copied none. */
            artifacts: artifactsOfBackup.optional(),
          })
          .optional(),
        /** What went wrong last, until it succeeds. */
        failure: z.object({ at: time, what: text(1_024) }).optional(),
        /** False while an erasure, or a change of keys, has not reached it. */
        hasKeys: z.boolean(),
      }),
    ),
    schedule: z.object({ to: text(DESTINATION_MAX), everyHours: z.number() }).optional(),
    /** Where artifacts of updates are kept, and whether backups leave them out. */
    artifacts: z
      .object({
        /** Name of their bucket; absent for the data folder. */
        place: text(DESTINATION_MAX).optional(),
        isLeftOut: z.boolean(),
      })
      .optional(),
    lastDrill: z
      .object({
        at: time,
        backup: text(64),
        from: text(DESTINATION_MAX),
        isGood: z.boolean(),
        findings: count,
      })
      .optional(),
  })
  .meta({ id: 'BackupStatus' });
export type BackupStatus = Readonly<z.infer<typeof BackupStatusSchema>>;

/** What everybody who sees the server is told of its backups. */
export const BackupSummarySchema = z.object({
  /** When the newest one was made; absent before the first. */
  lastAt: time.optional(),
  /** When a restore was tried last, and whether it worked. */
  lastDrill: z.object({ at: time, isGood: z.boolean() }).optional(),
  /** Destinations with a failure, or which an erasure has not reached. */
  troubles: count,
});
export type BackupSummary = Readonly<z.infer<typeof BackupSummarySchema>>;

/** `GET /v1/backups`. */
export const BackupListQuerySchema = z.strictObject({ from: destination });
export const BackupListSchema = z
  .object({
    /** Oldest first. */
    backups: z.array(
      z.object({
        id: text(64),
        at: time,
        software: text(64),
        custody: text(1_024),
        bytes: count,
        checkpoint: text(16_384),
      }),
    ),
    /** Objects that stand where a backup would, and are none as it was written. */
    damaged: z.array(text(512)),
  })
  .meta({ id: 'BackupList' });
export type BackupList = Readonly<z.infer<typeof BackupListSchema>>;

/** `POST /v1/backups/prune`. */
export const PruneBackupsRequestSchema = z
  .strictObject({ from: destination, keep: z.int().min(BACKUPS_KEPT.min).max(BACKUPS_KEPT.max) })
  .meta({ id: 'PruneBackupsRequest' });
export type PruneBackupsRequest = Readonly<z.infer<typeof PruneBackupsRequestSchema>>;
export const PrunedBackupsSchema = z
  .object({ backups: count, chunks: count, bytes: count })
  .meta({ id: 'PrunedBackups' });
export type PrunedBackups = Readonly<z.infer<typeof PrunedBackupsSchema>>;

/** `PUT /v1/backups/schedule`. */
export const BackupScheduleSchema = z
  .strictObject({
    to: destination,
    everyHours: z.int().min(BACKUP_EVERY_HOURS.min).max(BACKUP_EVERY_HOURS.max),
  })
  .meta({ id: 'BackupSchedule' });
export type BackupSchedule = Readonly<z.infer<typeof BackupScheduleSchema>>;

/** `PUT /v1/backups/artifacts`. */
export const BackupArtifactsRequestSchema = z
  .strictObject({
    /** Whether backups leave out the artifacts of the bucket that they are kept in now. */
    isLeftOut: z.boolean(),
    reason: line(256),
  })
  .meta({ id: 'BackupArtifactsRequest' });
export type BackupArtifactsRequest = Readonly<z.infer<typeof BackupArtifactsRequestSchema>>;

/** `POST /v1/backups/forget`. */
export const ForgetDestinationRequestSchema = z
  .strictObject({ name: destination, reason: line(256) })
  .meta({ id: 'ForgetDestinationRequest' });
export type ForgetDestinationRequest = Readonly<z.infer<typeof ForgetDestinationRequestSchema>>;

/** `POST /v1/backups/drills`: the result of a restore that was tried. */
export const BackupDrillRequestSchema = z
  .strictObject({
    backup: z.string().regex(/^[0-9a-z-]{1,64}$/, 'must be the id of a backup'),
    from: destination,
    isGood: z.boolean(),
    findings: z.int().min(0).max(1_000_000),
    entries: z.int().min(0),
    why: line(512).optional(),
  })
  .meta({ id: 'BackupDrillRequest' });
export type BackupDrillRequest = Readonly<z.infer<typeof BackupDrillRequestSchema>>;

/** `POST /v1/devices/{id}/erase`. */
export const EraseDeviceRequestSchema = z
  .strictObject({ reason: line(256) })
  .meta({ id: 'EraseDeviceRequest' });
export const ErasedDeviceSchema = z
  .object({
    device: text(64),
    /** Keys that were destroyed. */
    keys: count,
    /** Destinations of backups that the erasure has not reached yet; they are tried again. */
    pending: z.array(text(DESTINATION_MAX)),
    /** False while readers keep what was destroyed in the write-ahead log of the server's disk. */
    isScrubbed: z.boolean(),
  })
  .meta({ id: 'ErasedDevice' });
export type ErasedDevice = Readonly<z.infer<typeof ErasedDeviceSchema>>;

/** What can be exported, and in which forms. */
export const EXPORT_KINDS = ['readings', 'acts', 'devices'] as const;
export type ExportKind = (typeof EXPORT_KINDS)[number];
export const EXPORT_FORMATS = ['ndjson', 'csv', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Path and query of `GET /v1/export/…`. */
export const ExportQuerySchema = z.strictObject({
  format: z.enum(EXPORT_FORMATS).default('ndjson'),
  /** Only what came at this time or later, and before `to`. */
  from: z.iso.datetime().max(32).optional(),
  to: z.iso.datetime().max(32).optional(),
  /** Only readings of this device. */
  device: name.optional(),
});
export type ExportQuery = Readonly<z.input<typeof ExportQuerySchema>>;
