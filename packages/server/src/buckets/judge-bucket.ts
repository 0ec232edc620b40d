/** Judges a bucket of S3: what it is set to, and what it does. @module */
import {
  BUCKET_CHECK_NAMES,
  type BucketCheck,
  type Finding,
  type Verdict,
  pass,
} from './bucket-checks.ts';
import { judgeSettings } from './judge-settings.ts';
import { probeBucket } from './probe-bucket.ts';
import { type S3, ask } from './s3-client.ts';
import { type S3Name, keyAt, s3NameText } from './s3-place.ts';

/**
 * Judges a bucket.
 * @throws Fault `E_BUCKETS_…` when it cannot be reached or used at all.
 */
export async function judgeBucket(
  s3: S3,
  place: S3Name,
  random: (bytes: number) => Uint8Array,
): Promise<Finding[]> {
  const { client, sdk } = s3;
  const list = { Bucket: place.bucket, Prefix: keyAt(place, ''), MaxKeys: 1 };
  return ask(s3NameText(place), async () => {
    await client.send(new sdk.ListObjectsV2Command(list));
    const [settings, { encryptedBy, ...probe }] = await Promise.all([
      judgeSettings(s3, place.bucket),
      probeBucket(s3, place, random),
    ]);
    const verdicts: Readonly<Record<BucketCheck, Verdict>> = { ...settings, ...probe };
    const { encryption } = settings;
    const isShown = encryption.result === 'unknown' && encryptedBy !== undefined;
    const shown = pass(`An object that was put there is encrypted (${encryptedBy}).`);
    return BUCKET_CHECK_NAMES.map((check) => {
      const verdict = check === 'encryption' && isShown ? shown : verdicts[check];
      return { check, result: verdict.result, what: verdict.what };
    });
  });
}
