/**
 * How settings are judged that the gateway of the integration test lacks. The answers are written
 * by hand after the API reference of S3; the client that reads them is the real one.
 */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import * as sdk from '@aws-sdk/client-s3';
import type { BucketCheck, CheckResult } from './bucket-checks.ts';
import { judgeSettings } from './judge-settings.ts';
import type { S3 } from './s3-client.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

const xml = (body: string): Answer => ({ status: 200, body });
const error = (code: string, status = 404): Answer => ({
  status,
  body: `<Error><Code>${code}</Code><Message>no</Message></Error>`,
});

const GOOD: Readonly<Record<string, Answer>> = {
  acl: xml(
    '<AccessControlPolicy><Owner><ID>me</ID></Owner><AccessControlList><Grant><Grantee ' +
      'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>me</ID>' +
      '</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>',
  ),
  policy: error('NoSuchBucketPolicy'),
  encryption: xml(
    '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>' +
      '<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>' +
      '</ServerSideEncryptionConfiguration>',
  ),
  publicAccessBlock: error('NoSuchPublicAccessBlockConfiguration'),
  versioning: xml('<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'),
  'object-lock': error('ObjectLockConfigurationNotFoundError'),
  logging: xml(
    '<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket></LoggingEnabled>' +
      '</BucketLoggingStatus>',
  ),
};

/** A client whose store gives these answers, by sub-resource. */
function storeOf(answers: Readonly<Record<string, Answer>>): S3 {
  const client = new sdk.S3Client({
    region: 'us-east-1',
    endpoint: 'https://store.example',
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
    requestHandler: {
      handle({ query }: { query: Record<string, unknown> }) {
        const name = Object.keys(query).find((one) => one in answers) ?? '';
        const { status, body } = answers[name] ?? error('NotImplemented', 501);
        const headers = { 'content-type': 'application/xml' };
        const response = { statusCode: status, headers, body: Readable.from([Buffer.from(body)]) };
        return Promise.resolve({ response });
      },
    } as never,
  });
  return { sdk, client, anonymous: client, close: () => client.destroy() };
}

async function resultsOf(
  answers: Readonly<Record<string, Answer>>,
): Promise<Partial<Record<BucketCheck, CheckResult>>> {
  const verdicts = await judgeSettings(storeOf({ ...GOOD, ...answers }), 'fleet');
  return Object.fromEntries(Object.entries(verdicts).map(([check, { result }]) => [check, result]));
}

test('default encryption passes, its absence fails, and no answer is unknown', async () => {
  assert.equal((await resultsOf({})).encryption, 'pass');
  const absent = error('ServerSideEncryptionConfigurationNotFoundError');
  assert.equal((await resultsOf({ encryption: absent })).encryption, 'fail');
  for (const answer of [
    error('AccessDenied', 403),
    error('NotImplemented', 501),
    error('InternalError', 500),
    // Stores that do not know the call list the bucket instead.
    xml('<ListBucketResult><Name>fleet</Name></ListBucketResult>'),
    xml('<ServerSideEncryptionConfiguration/>'),
  ]) {
    assert.equal((await resultsOf({ encryption: answer })).encryption, 'unknown', answer.body);
  }
});

test('a default retention fails; object lock without one passes', async () => {
  const lock = (rule: string): Answer =>
    xml(
      '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>' +
        `${rule}</ObjectLockConfiguration>`,
    );
  const rule =
    '<Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule>';
  assert.equal((await resultsOf({ 'object-lock': lock(rule) }))['object-lock'], 'fail');
  assert.equal((await resultsOf({ 'object-lock': lock('') }))['object-lock'], 'pass');
  assert.equal((await resultsOf({ 'object-lock': xml('<X/>') }))['object-lock'], 'unknown');
});

test('access logging passes, unless it goes into the bucket itself', async () => {
  assert.equal((await resultsOf({})).logging, 'pass');
  assert.equal((await resultsOf({ logging: xml('<BucketLoggingStatus/>') })).logging, 'fail');
  const own = xml(
    '<BucketLoggingStatus><LoggingEnabled><TargetBucket>fleet</TargetBucket></LoggingEnabled>' +
      '</BucketLoggingStatus>',
  );
  assert.equal((await resultsOf({ logging: own })).logging, 'fail');
});

test('each setting that is denied, or not understood, is unknown', async () => {
  const checks: readonly (readonly [string, BucketCheck])[] = [
    ['acl', 'acl'],
    ['policy', 'policy'],
    ['policy', 'tls-only'],
    ['encryption', 'encryption'],
    ['publicAccessBlock', 'public-access-block'],
    ['versioning', 'versioning'],
    ['object-lock', 'object-lock'],
    ['logging', 'logging'],
  ];
  for (const [name, check] of checks) {
    const denied = await resultsOf({ [name]: error('AccessDenied', 403) });
    assert.equal(denied[check], 'unknown', check);
    const other = await resultsOf({ [name]: xml('<SomethingElse/>') });
    assert.notEqual(other[check], 'pass', check);
  }
});
