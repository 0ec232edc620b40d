/** Where buckets of S3 are, and how they are named. @module */
import { z } from 'zod';
import { AwsPlaceSchema } from '../crypto/index.ts';
import { isObjectKey } from './bucket.ts';

/** How S3, or a store that speaks its API, is reached; HTTPS only. */
export const S3PlaceSchema = AwsPlaceSchema.extend({
  /**
   * Whether the bucket stands in the path or in the host name. Without it: in the path at an
   * endpoint of one's own, in the host name at AWS.
   */
  addressing: z.enum(['path', 'host']).optional(),
});
export type S3Place = Readonly<z.infer<typeof S3PlaceSchema>>;

/** A part of a bucket. */
export interface S3Name {
  readonly bucket: string;
  /** Empty, or the beginning of all keys without the slash after it. */
  readonly prefix: string;
}

const NAME =
  /^s3:\/\/(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(?<prefix>[a-z0-9/._-]{1,256}))?$/u;

/** Reads `s3://bucket/prefix`; undefined when it is no such name. */
export function parseS3Name(name: string): S3Name | undefined {
  const { bucket = '', prefix = '' } = NAME.exec(name)?.groups ?? {};
  if (bucket === '' || bucket.includes('..')) return undefined;
  return prefix === '' || isObjectKey(prefix) ? { bucket, prefix } : undefined;
}

/** The key at the store of an object of ours, or of a prefix of keys. */
export function keyAt({ prefix }: S3Name, key: string): string {
  return prefix === '' ? key : `${prefix}/${key}`;
}

/** The text of a name. */
export function s3NameText({ bucket, prefix }: S3Name): string {
  return prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
}
