import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AcceptBucketRequest, BucketView } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';
import { s3Of } from './s3-options.ts';

const finding = (result: 'pass' | 'fail' | 'unknown', isRequired = true) => ({
  check: 'encryption',
  result,
  what: 'The store does not say how it encrypts.',
  why: 'Disks leave the provider.',
  fix: 'Turn default encryption on.',
  isRequired,
});
const view = (isUsable: boolean, ...findings: BucketView['findings']): BucketView => ({
  name: 's3://fleet/prod',
  checkedAt: '2026-11-21T03:00:00.000Z',
  isUsable,
  findings,
});

test('bucket check says what is found, and fails when the bucket is refused', async () => {
  const asked: string[] = [];
  let found = view(false, finding('unknown'));
  const world = () =>
    new FakeWorld({
      client: {
        checkBucket: (name) => {
          asked.push(name);
          return Promise.resolve(found);
        },
      },
    });
  const refused = world();
  assert.equal(await refused.run('bucket', 'check', 's3://fleet/prod'), 1);
  assert.match(refused.outText, /s3:\/\/fleet\/prod is refused/u);
  assert.match(refused.outText, /unknown encryption +The store does not say/u);
  assert.match(refused.outText, /refused for this: Disks leave/u);
  assert.match(refused.errText, /E_BUCKETS_RISK/u);
  found = view(true, finding('pass'), finding('fail', false));
  const used = world();
  assert.equal(await used.run('bucket', 'check', 's3://fleet/prod'), 0, used.errText);
  assert.match(used.outText, /is used/u);
  assert.match(used.outText, /FAIL +encryption/u);
  assert.match(used.outText, /advice: /u);
  assert.deepEqual(asked, ['s3://fleet/prod', 's3://fleet/prod']);
});

test('bucket accept wants a reason, and says who has accepted what', async () => {
  const requests: AcceptBucketRequest[] = [];
  const accepted = { by: 'person:ann', reason: 'why not', until: '2026-12-21T03:00:00.000Z' };
  const world = () =>
    new FakeWorld({
      client: {
        acceptBucket: (request) => {
          requests.push(request);
          return Promise.resolve(view(true, { ...finding('unknown'), accepted }));
        },
      },
    });
  const args = ['bucket', 'accept', 's3://fleet/prod', 'encryption'];
  assert.equal(await world().run(...args), 2);
  assert.equal(await world().run(...args, '--reason', 'why not', '--days', '93'), 2);
  assert.equal(await world().run(...args, '--reason', 'why not', '--days', '0'), 2);
  const good = world();
  assert.equal(await good.run(...args, '--reason', 'why not'), 0, good.errText);
  assert.deepEqual(requests, [
    { name: 's3://fleet/prod', check: 'encryption', reason: 'why not', days: 30 },
  ]);
  assert.match(good.outText, /accepted by person:ann until 2026-12-21/u);
});

test('bucket list shows all, or that there is none', async () => {
  const world = (buckets: BucketView[]) =>
    new FakeWorld({ client: { buckets: () => Promise.resolve(buckets) } });
  const none = world([]);
  assert.equal(await none.run('bucket', 'list'), 0);
  assert.match(none.outText, /No bucket/u);
  const one = world([view(true, finding('pass'))]);
  assert.equal(await one.run('bucket', 'list', '--json'), 0);
  assert.deepEqual(JSON.parse(one.outText), { buckets: [view(true, finding('pass'))] });
});

test('bucket policy prints each part as a document of its own', async () => {
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Deny' }] } as const;
  const made: unknown[] = [];
  const world = () =>
    new FakeWorld({
      server: {
        parseS3Name: (name) =>
          name === 's3://fleet' ? { bucket: 'fleet', prefix: '' } : undefined,
        bucketPolicies: (place, principal) => {
          made.push([place, principal]);
          return { iamPolicy: policy, bucketPolicy: policy, publicAccessBlock: { A: true } };
        },
      },
    });
  const only = world();
  const arn = 'arn:aws:iam:::user/holdfast';
  const args = ['bucket', 'policy', 's3://fleet', '--only', 'bucket'];
  assert.equal(await only.run(...args, '--principal', arn), 0, only.errText);
  assert.deepEqual(JSON.parse(only.outText), policy);
  assert.deepEqual(made, [[{ bucket: 'fleet', prefix: '' }, arn]]);
  const all = world();
  assert.equal(await all.run('bucket', 'policy', 's3://fleet'), 0);
  assert.match(all.outText, /IAM policy[^]*Bucket policy[^]*Public-access block/u);
  assert.equal(await world().run('bucket', 'policy', 'fleet'), 2);
  assert.equal(await world().run('bucket', 'policy', 's3://fleet', '--only', 'x'), 2);
  assert.equal(await world().run('bucket', 'policy', 's3://fleet', '--principal', '*'), 2);
});

test('options of S3 are complete, by TLS, or a mistake of whoever gives them', () => {
  assert.equal(s3Of({}), undefined);
  assert.equal(s3Of({ 's3-region': 'eu-central-1' })?.region, 'eu-central-1');
  assert.equal(s3Of({ 's3-endpoint': 'https://store.example' })?.region, 'us-east-1');
  for (const wrong of [
    { 's3-credentials': 'file' },
    { 's3-region': 'EU CENTRAL' },
    { 's3-region': 'eu', 's3-endpoint': 'http://store.example' },
    { 's3-region': 'eu', 's3-addressing': 'dns' },
  ]) {
    assert.throws(() => s3Of(wrong), { code: 'E_CLI_USAGE' });
  }
});
