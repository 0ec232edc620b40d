/** Buckets, as a part of the client. @module */
import { BucketListSchema, BucketViewSchema } from '@holdfast/protocol/api';
import type { AcceptBucketRequest, BucketView } from '@holdfast/protocol/api';
import type { z } from 'zod';

/** What was found at the buckets of a server. */
export interface BucketClient {
  /** The buckets that were looked at, in the order of their names. */
  buckets(): Promise<BucketView[]>;
  /** Looks at a bucket now. */
  checkBucket(name: string): Promise<BucketView>;
  /** Accepts a risk that was found. */
  acceptBucket(request: AcceptBucketRequest): Promise<BucketView>;
}

/** How requests are made. */
export interface BucketCalls {
  readonly read: <T>(schema: z.ZodType<T>, path: string) => Promise<T>;
  readonly post: <T>(schema: z.ZodType<T>, path: string, body?: unknown) => Promise<T>;
}

/** Makes this part of the client. */
export function bucketClient({ read, post }: BucketCalls): BucketClient {
  return {
    buckets: async () => (await read(BucketListSchema, '/v1/buckets')).buckets,
    checkBucket: (name) => post(BucketViewSchema, '/v1/buckets/check', { name }),
    acceptBucket: (request) => post(BucketViewSchema, '/v1/buckets/accept', request),
  };
}
