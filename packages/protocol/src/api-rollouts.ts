/** The HTTP API: rollouts of releases, and the consent of owners. Part of `api.ts`. @module */
import { z } from 'zod';
import { line, name, text, time } from './api-fields.ts';

/** Stages of one rollout. */
export const ROLLOUT_STAGES_MAX = 32;
/** Devices of one explicit list; a longer one is a group. */
export const ROLLOUT_DEVICES_LISTED_MAX = 1_000;
/** Windows of one rollout. */
export const ROLLOUT_WINDOWS_MAX = 16;
/** Devices that a plan lists by name; all of them are counted. */
export const PLANNED_LISTED_MAX = 1_000;

const DAY_MS = 86_400_000;
/** The longest span that a rollout waits for anything: 90 days. */
export const ROLLOUT_SPAN_MS_MAX: number = 90 * DAY_MS;

const count = z.int().min(0);
const span = z.int().min(0).max(ROLLOUT_SPAN_MS_MAX);
const rate = z.number().min(0).max(1);
const group = name;
const releaseId = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,31}@[0-9][0-9A-Za-z.+-]{0,31}$/u,
    'must be <line>@<version>, such as thermostat@2.1.0',
  );

/** The states of a rollout. */
export const ROLLOUT_STATES = [
  'draft',
  'waiting-approval',
  'running',
  'paused',
  'finished',
  'aborted',
] as const;
export type RolloutStateName = (typeof ROLLOUT_STATES)[number];

/** The states of a device in a rollout. */
export const ROLLOUT_DEVICE_STATES = [
  'waiting',
  'offered',
  'downloading',
  'staged',
  'trial',
  'confirmed',
  'failed',
  'reverted',
  'skipped',
  'withdrawn',
] as const;
export type RolloutDeviceStateName = (typeof ROLLOUT_DEVICE_STATES)[number];

/** How bad a finding about a device is. */
export const FINDING_SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type FindingSeverity = (typeof FINDING_SEVERITIES)[number];

/** Which devices a stage reaches. */
export const StageSelectionSchema = z.union([
  /** The rollout reaches so many of a hundred of its devices in all. */
  z.strictObject({ percent: z.number().gt(0).max(100) }),
  /** The rollout reaches so many devices in all. */
  z.strictObject({ count: z.int().min(1).max(10_000_000) }),
  /** All devices of a group. */
  z.strictObject({ group }),
  /** These devices. */
  z.strictObject({ devices: z.array(name).min(1).max(ROLLOUT_DEVICES_LISTED_MAX) }),
]);

/** A stage, and what opens the next one. */
export const RolloutStageSchema = z.strictObject({
  select: StageSelectionSchema,
  /** The share of its devices that have to be confirmed. */
  successRate: rate.default(0.9),
  /** How long to watch them from then on. */
  soakMs: span.default(0),
});
export type RolloutStage = Readonly<z.infer<typeof RolloutStageSchema>>;

/** Hours of weekdays in which devices are offered the release, in a named time zone. */
export const RolloutWindowSchema = z.strictObject({
  /** 1 is Monday, 7 is Sunday: the day on which the window opens. */
  days: z.array(z.int().min(1).max(7)).min(1).max(7),
  /** Minutes since midnight; one that ends at or before its beginning ends the day after. */
  fromMinute: z.int().min(0).max(1_439),
  toMinute: z.int().min(0).max(1_440),
  /** IANA name. */
  timeZone: z.string().min(1).max(64),
});
export type RolloutWindow = Readonly<z.infer<typeof RolloutWindowSchema>>;

/** What pauses a rollout by itself. */
export const PauseRulesSchema = z.strictObject({
  /** More than this share of the devices of a stage failed, went back, hang or are silent. */
  failures: rate.default(0.05),
  /** A device that has begun has to be confirmed within this time. */
  unconfirmedMs: span.min(1_000).default(DAY_MS),
  /** A device that was updated has to be heard of within this time; without it, it need not. */
  silentMs: span.min(1_000).optional(),
  /** A finding of this severity or above about a device that was updated. */
  findings: z.enum([...FINDING_SEVERITIES, 'none']).default('high'),
});
export type PauseRules = Readonly<z.infer<typeof PauseRulesSchema>>;

/** How a release is rolled out. */
export const RolloutPlanSchema = z.strictObject({
  /** Devices of these groups only, instead of all that the release is for. */
  groups: z.array(group).min(1).max(64).optional(),
  stages: z.array(RolloutStageSchema).min(1).max(ROLLOUT_STAGES_MAX),
  windows: z.array(RolloutWindowSchema).max(ROLLOUT_WINDOWS_MAX).default([]),
  pauseOn: PauseRulesSchema.default(PauseRulesSchema.parse({})),
  /** Devices in progress at a time; without it, as many as there are. */
  inProgressMax: z.int().min(1).max(10_000_000).optional(),
  /** Devices that are offered the release in a minute. */
  perMinuteMax: z.int().min(1).max(1_000_000).optional(),
  /** Devices with an owner wait for their consent. */
  needsConsent: z.boolean().default(false),
  /** How long an owner can put it off from when they were asked; then it is installed. */
  consentBoundMs: span.optional(),
  /** What owners are told: what it is for, and whether the device stops working meanwhile. */
  notice: line(256).optional(),
  /** Takes over devices that wait in other rollouts. */
  supersedes: z.boolean().default(false),
});
export type RolloutPlan = Readonly<z.infer<typeof RolloutPlanSchema>>;

/** `POST /v1/rollouts` and `POST /v1/rollouts/plan`. */
export const RolloutRequestSchema = z
  .strictObject({ release: releaseId, plan: RolloutPlanSchema })
  .meta({ id: 'RolloutRequest' });
export type RolloutRequest = Readonly<z.input<typeof RolloutRequestSchema>>;

/** Path of a rollout. */
export const RolloutPathSchema = z.object({
  rollout: z.string().regex(/^[0-9a-f]{8}$/u, 'must be the id of a rollout: 8 hexadecimal digits'),
});

/** `POST /v1/rollouts/{rollout}/pause`, `resume`, `abort`. */
export const RolloutActRequestSchema = z
  .strictObject({ reason: line(256) })
  .meta({ id: 'RolloutActRequest' });
export type RolloutActRequest = Readonly<z.infer<typeof RolloutActRequestSchema>>;

/** `POST /v1/rollouts/{rollout}/forward`. */
export const ForwardRolloutRequestSchema = z
  .strictObject({ release: releaseId, reason: line(256) })
  .meta({ id: 'ForwardRolloutRequest' });
export type ForwardRolloutRequest = Readonly<z.infer<typeof ForwardRolloutRequestSchema>>;

const countByState = z.record(z.enum(ROLLOUT_DEVICE_STATES), count);

/** A rollout as it stands. */
export const RolloutViewSchema = z
  .object({
    id: text(8),
    release: text(65),
    state: z.enum(ROLLOUT_STATES),
    /** Who brought it into this state, why, and when. */
    stateBy: text(256),
    stateReason: text(1_024),
    stateAt: time,
    createdBy: text(256),
    createdAt: time,
    startedAt: time.optional(),
    plan: RolloutPlanSchema,
    /** The open stage, counted from 0. */
    stage: count,
    /** Since when the gate of the open stage is met. */
    gateMetAt: time.optional(),
    /** False while all windows are closed. */
    isInWindow: z.boolean(),
    devices: count,
    counts: countByState,
    stages: z.array(
      z.object({ devices: count, counts: countByState, overdue: count, silent: count }),
    ),
    /** Why devices failed or went back, the most frequent first. */
    reasons: z.array(z.object({ why: text(256), count })),
    forwardedTo: text(8).optional(),
  })
  .meta({ id: 'Rollout' });
export type RolloutView = Readonly<z.infer<typeof RolloutViewSchema>>;

/** `GET /v1/rollouts`: newest first. */
export const RolloutListSchema = z
  .object({ rollouts: z.array(RolloutViewSchema) })
  .meta({ id: 'RolloutList' });

/** Why a device gets nothing. */
export const EXCLUSIONS = [
  'hardware-unknown',
  'hardware',
  'counter',
  'minimum-version',
  'runs-it',
  'quarantined',
  'state',
  'other-rollout',
  'forbidden',
] as const;
export type ExclusionCode = (typeof EXCLUSIONS)[number];

/** `POST /v1/rollouts/plan`: who would get it, and who would not. */
export const RolloutForecastSchema = z
  .object({
    release: text(65),
    /** Devices that would get it. */
    devices: count,
    /** Those of them whose owners would be asked. */
    asked: count,
    stages: z.array(
      z.object({
        devices: count,
        /** The first ones, in the order in which they would get it. */
        listed: z.array(text(64)).max(PLANNED_LISTED_MAX),
      }),
    ),
    excluded: z.array(
      z.object({
        code: z.enum(EXCLUSIONS),
        devices: count,
        listed: z.array(z.object({ device: text(64), why: text(512) })).max(PLANNED_LISTED_MAX),
      }),
    ),
  })
  .meta({ id: 'RolloutForecast' });
export type RolloutForecast = Readonly<z.infer<typeof RolloutForecastSchema>>;

/** `GET /v1/rollouts/{rollout}/devices`. */
export const RolloutDeviceQuerySchema = z.strictObject({
  state: z.enum(ROLLOUT_DEVICE_STATES).optional(),
  /** Only devices whose id comes after this one. */
  after: name.optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
export type RolloutDeviceQuery = Readonly<z.input<typeof RolloutDeviceQuerySchema>>;

/** In the order of their ids. */
export const RolloutDeviceListSchema = z
  .object({
    devices: z.array(
      z.object({
        device: text(64),
        state: z.enum(ROLLOUT_DEVICE_STATES),
        since: time,
        /** Counted from 0; absent before one has reached it. */
        stage: count.optional(),
        isOverdue: z.boolean(),
        isSilent: z.boolean(),
        why: text(256).optional(),
        /** It waits for its owner. */
        isAsked: z.boolean(),
      }),
    ),
    next: text(64).optional(),
  })
  .meta({ id: 'RolloutDeviceList' });
export type RolloutDeviceList = Readonly<z.infer<typeof RolloutDeviceListSchema>>;

/** `GET /v1/app/updates`: what waits for the consent of the owner. ETSI EN 303 645 §5.3-11, -12. */
export const OwnedUpdateListSchema = z
  .object({
    updates: z.array(
      z.object({
        device: text(64),
        version: text(32),
        severity: text(16).optional(),
        /** Vulnerabilities that it repairs. */
        fixes: z.array(text(64)),
        notice: text(256).optional(),
        askedAt: time,
        /** It is installed then, whatever the owner says. */
        latestAt: time,
        /** When the owner wants it; absent while they have not said. */
        from: time.optional(),
      }),
    ),
  })
  .meta({ id: 'OwnedUpdateList' });
export type OwnedUpdateList = Readonly<z.infer<typeof OwnedUpdateListSchema>>;

export type OwnedUpdate = Readonly<z.infer<typeof OwnedUpdateListSchema>['updates'][number]>;

/** `POST /v1/app/devices/{id}/update-consent`. ETSI EN 303 645 §5.3-6. */
export const UpdateConsentRequestSchema = z
  .strictObject({
    /** From when on it may be installed; now, when it is left out. */
    from: z.iso.datetime().max(32).optional(),
  })
  .meta({ id: 'UpdateConsentRequest' });
export type UpdateConsentRequest = Readonly<z.infer<typeof UpdateConsentRequestSchema>>;
