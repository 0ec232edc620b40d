/** How buckets of S3 are named. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketPolicies } from './bucket-policies.ts';
import { isObjectKey } from './bucket.ts';
import { S3PlaceSchema, keyAt, parseS3Name, s3NameText } from './s3-place.ts';

test('names are read, and nothing else is', () => {
  assert.deepEqual(parseS3Name('s3://fleet'), { bucket: 'fleet', prefix: '' });
  assert.deepEqual(parseS3Name('s3://my.fleet/prod/eu'), { bucket: 'my.fleet', prefix: 'prod/eu' });
  assert.ok(parseS3Name(`s3://abc/${'p'.repeat(256)}`));
  assert.ok(parseS3Name(`s3://${'b'.repeat(63)}`));
  for (const name of [
    's3://ab',
    `s3://${'b'.repeat(64)}`,
    `s3://abc/${'p'.repeat(257)}`,
    's3://Fleet',
    's3://fleet/',
    's3://fleet//prod',
    's3://fleet/../other',
    's3://fle..et',
    's3://-fleet',
    's3://fleet@evil.example/prod',
    's3://fleet:443/prod',
    's3://fleet?x=1',
    's3://fleet\n',
    'S3://fleet',
    'https://fleet',
    'folder:/fleet',
    '',
  ]) {
    assert.equal(parseS3Name(name), undefined, name);
  }
});

test('a name that is read is written as it was, and its keys stand under its prefix', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^s3:\/\/[a-z0-9.-]{3,8}\/[a-z0-9/._-]{1,12}$/u), (name) => {
      const place = parseS3Name(name);
      if (place === undefined) return;
      assert.equal(s3NameText(place), name);
      assert.ok(keyAt(place, 'keys').startsWith(`${place.prefix}/`));
      assert.ok(isObjectKey(keyAt(place, 'keys')));
    }),
  );
});

test('a store is reached by HTTPS only', () => {
  const place = { region: 'us-east-1', endpoint: 'https://store.example:7480' };
  assert.ok(S3PlaceSchema.safeParse(place).success);
  for (const endpoint of ['http://store.example', 'ftp://store.example', 'store.example']) {
    assert.ok(!S3PlaceSchema.safeParse({ ...place, endpoint }).success, endpoint);
  }
});

test('the IAM policy names this bucket and this prefix, and no action with a wildcard', () => {
  const { iamPolicy, bucketPolicy } = bucketPolicies({ bucket: 'fleet', prefix: 'prod' });
  const resources = iamPolicy.Statement.flatMap(({ Resource }) => [Resource].flat());
  assert.deepEqual([...new Set(resources)], ['arn:aws:s3:::fleet/prod/*', 'arn:aws:s3:::fleet']);
  assert.ok(!JSON.stringify(iamPolicy.Statement.map(({ Action }) => Action)).includes('*'));
  assert.ok(bucketPolicy.Statement.every(({ Effect }) => Effect === 'Deny'));
  assert.ok(JSON.stringify(iamPolicy).includes('s3:GetEncryptionConfiguration'));
  const ceph = bucketPolicies({ bucket: 'fleet', prefix: '' }, 'arn:aws:iam:::user/holdfast');
  assert.ok(!JSON.stringify(ceph.bucketPolicy).includes('s3:GetEncryptionConfiguration'));
});
