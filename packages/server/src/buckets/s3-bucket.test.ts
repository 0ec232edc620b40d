/** What a store does that is not what it seems. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as sdk from '@aws-sdk/client-s3';
import { s3Bucket } from './s3-bucket.ts';
import type { S3 } from './s3-client.ts';

/** A store that gives the same answer to everything. */
function storeAnswering(answer: () => object): S3 {
  const client = new sdk.S3Client({ region: 'us-east-1' });
  client.middlewareStack.add(
    () => () => Promise.resolve({ response: {}, output: { $metadata: {}, ...answer() } }),
    { step: 'initialize' },
  );
  return { sdk, client, anonymous: client, close: () => client.destroy() };
}
const place = { bucket: 'fleet', prefix: 'prod' };
const isFault = { code: 'E_BUCKETS_S3', message: /lists more than there can be/u };

test('a list that does not end is given up', async () => {
  const page = { Contents: [{ Key: 'prod/keys', Size: 1 }], IsTruncated: true };
  const same = storeAnswering(() => ({ ...page, NextContinuationToken: 'again' }));
  await assert.rejects(() => Array.fromAsync(s3Bucket(same, place).list('')), isFault);
  let pages = 0;
  const other = storeAnswering(() => ({ ...page, NextContinuationToken: String((pages += 1)) }));
  await assert.rejects(() => Array.fromAsync(s3Bucket(other, place).list('')), isFault);
  assert.equal(pages, 10_000);
});

test('so are versions of one object without end', async () => {
  const Versions = Array.from({ length: 1_000 }, () => ({ Key: 'prod/keys', VersionId: 'v' }));
  let pages = 0;
  const store = storeAnswering(() => {
    pages += 1;
    return { Versions, IsTruncated: true, NextKeyMarker: 'prod/keys' };
  });
  await assert.rejects(() => s3Bucket(store, place).remove('keys'), isFault);
  assert.equal(pages, 11);
});
