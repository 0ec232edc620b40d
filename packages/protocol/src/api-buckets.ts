/** The HTTP API: buckets, what was found at them, and which risks are accepted. Part of `api.ts`. @module */
import { z } from 'zod';
import { line, text, time } from './api-fields.ts';

/** Characters of `s3://bucket/prefix`. */
const BUCKET_NAME_MAX = 512;
/** Days that the acceptance of a risk counts: at most a quarter of a year. */
export const ACCEPTED_DAYS = { min: 1, default: 30, max: 92 } as const;

const bucket = line(BUCKET_NAME_MAX);
const checkName = z.string().regex(/^[a-z-]{1,64}$/, 'must be the name of a check');

/** How one check of a bucket came out. */
export const BucketFindingSchema = z
  .object({
    check: text(64),
    /** `unknown`: the store lacks the call, or denies it. */
    result: z.enum(['pass', 'fail', 'unknown']),
    what: text(1_024),
    why: text(1_024),
    fix: text(1_024),
    /** True: the bucket is refused unless it passes, or somebody accepts the risk. */
    isRequired: z.boolean(),
    /** Who has accepted it, and until when. */
    accepted: z.object({ by: text(256), reason: text(256), until: time }).optional(),
  })
  .meta({ id: 'BucketFinding' });
export type BucketFinding = Readonly<z.infer<typeof BucketFindingSchema>>;

/** A bucket as it was found. */
export const BucketViewSchema = z
  .object({
    name: text(BUCKET_NAME_MAX),
    checkedAt: time,
    /** False: nothing new is put there. */
    isUsable: z.boolean(),
    findings: z.array(BucketFindingSchema),
  })
  .meta({ id: 'Bucket' });
export type BucketView = Readonly<z.infer<typeof BucketViewSchema>>;

/** `GET /v1/buckets`, in the order of the names. */
export const BucketListSchema = z
  .object({ buckets: z.array(BucketViewSchema) })
  .meta({ id: 'BucketList' });

/** `POST /v1/buckets/check`. */
export const CheckBucketRequestSchema = z
  .strictObject({ name: bucket })
  .meta({ id: 'CheckBucketRequest' });

/** `POST /v1/buckets/accept`. */
export const AcceptBucketRequestSchema = z
  .strictObject({
    name: bucket,
    check: checkName,
    reason: line(256),
    days: z.int().min(ACCEPTED_DAYS.min).max(ACCEPTED_DAYS.max),
  })
  .meta({ id: 'AcceptBucketRequest' });
export type AcceptBucketRequest = Readonly<z.infer<typeof AcceptBucketRequestSchema>>;
