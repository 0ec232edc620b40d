/** The HTTP API: the whole server on one page, what is wrong first. Part of `api.ts`. @module */
import { z } from 'zod';
import { BackupSummarySchema } from './api-backup.ts';
import { DiskSchema } from './api-disk.ts';
import { text, time } from './api-fields.ts';
import { KeySummarySchema } from './api-keys.ts';
import { ROLLOUT_STATES } from './api-rollouts.ts';
import { WitnessedSchema } from './api-witness.ts';

/** Devices that an overview names where it counts many. */
export const OVERVIEW_LISTED_MAX = 10;
/** Certificates that end within this time without a renewal are counted as ending: 7 days. */
export const CERTIFICATE_SOON_MS = 604_800_000;

const count = z.int().min(0);
const countByName = z.record(text(64), count);

/** How bad a trouble is, the worst first; advice is no trouble yet. */
export const TROUBLE_SEVERITIES = ['critical', 'warning', 'advice'] as const;
export type TroubleSeverity = (typeof TROUBLE_SEVERITIES)[number];

/** Something that is wrong, in plain words. */
export const TroubleSchema = z
  .object({
    severity: z.enum(TROUBLE_SEVERITIES),
    /** Stable, such as `disk-full`. */
    code: text(64),
    /** What is wrong, on one line. */
    title: text(256),
    /** What it means. */
    why: text(1_024),
    /** The next step. */
    fix: text(1_024),
    /** The page of the console that has more. */
    href: text(256),
    /** A command that shows more, or does the next step. */
    command: text(256).optional(),
  })
  .meta({ id: 'Trouble' });
export type Trouble = Readonly<z.infer<typeof TroubleSchema>>;

/** The devices that the caller may see, in numbers. */
const FleetSchema = z.object({
  total: count,
  /** False when there may be devices that the caller may not see. */
  isWhole: z.boolean(),
  byState: countByName,
  byClass: countByName,
  /** Connected now. */
  connected: count,
  /** Never heard of, of those that are not revoked or retired. */
  neverSeen: count,
  /** Devices with a TPM that have not proven how they booted. */
  unproven: count,
  /** When they were counted. */
  countedAt: time,
});

const DeviceCountSchema = z.object({
  count,
  /** The first ones of them. */
  devices: z.array(text(64)).max(OVERVIEW_LISTED_MAX),
});

/** A rollout that has not ended. */
const OverviewRolloutSchema = z.object({
  id: text(8),
  release: text(65),
  state: z.enum(ROLLOUT_STATES),
  stateBy: text(256),
  stateReason: text(1_024),
  stateAt: time,
  devices: count,
  confirmed: count,
  /** Failed, or went back. */
  failed: count,
});

/** The last verification of the audit log that its server knows of. */
export const LastVerificationSchema = z.object({
  at: time,
  by: text(128),
  ok: z.boolean(),
  /** Entries of the log then; absent when it could not be verified at all. */
  size: count.optional(),
  findings: count,
  /** Why it could not be verified at all. */
  why: text(1_024).optional(),
});
export type LastVerification = Readonly<z.infer<typeof LastVerificationSchema>>;

/** `GET /v1/overview`. What the caller has no right to is left out. */
export const OverviewSchema = z
  .object({
    at: time,
    version: text(64),
    startedAt: time,
    /** False while the server cannot store what it is sent. */
    isReady: z.boolean(),
    /** The worst first. */
    troubles: z.array(TroubleSchema),
    fleet: FleetSchema,
    /** Certificates of the devices in `fleet`. */
    certificates: z.object({
      /** They end within `CERTIFICATE_SOON_MS`, and nobody has renewed them. */
      ending: DeviceCountSchema,
      /** They have ended. */
      ended: DeviceCountSchema,
    }),
    /** Of the last seconds. */
    traffic: z.object({
      acceptedPerS: z.number().min(0),
      refusedPerS: z.number().min(0),
      connections: count,
      sessions: count,
    }),
    /** Of the last hour. */
    refusals: z
      .object({
        total: count,
        /** The most frequent first. */
        byCode: z.array(z.object({ code: text(64), what: text(1_024), count })),
      })
      .optional(),
    updates: z
      .object({
        /** Devices in `fleet` by the state of their last update, as they told. */
        byState: countByName,
        /** Those that have not ended, the newest first. */
        rollouts: z.array(OverviewRolloutSchema),
      })
      .optional(),
    log: z
      .object({
        size: count,
        /** Absent while nobody has verified it. */
        lastVerification: LastVerificationSchema.optional(),
        witnesses: count,
        /** The newest checkpoint that a witness has cosigned. */
        witnessed: WitnessedSchema.optional(),
        /** A witness has seen a log that this one is not. */
        isBehind: z.boolean(),
      })
      .optional(),
    /** When the certificate that devices see ends, and that of the public name, where it has one. */
    serverCertificate: z.object({ endsAt: time, publicEndsAt: time.optional() }),
    disk: DiskSchema.optional(),
    backups: BackupSummarySchema.optional(),
    keys: KeySummarySchema.optional(),
  })
  .meta({ id: 'Overview' });
export type Overview = Readonly<z.infer<typeof OverviewSchema>>;
