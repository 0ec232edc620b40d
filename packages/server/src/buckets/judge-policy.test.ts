/** What bucket policies are judged to say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketPolicies } from './bucket-policies.ts';
import { judgePolicy } from './judge-policy.ts';

const ARN = 'arn:aws:s3:::fleet';
const of = (...Statement: object[]) =>
  judgePolicy(JSON.stringify({ Version: '2012-10-17', Statement }), 'fleet');
const publicOf = (...statements: object[]): string => of(...statements).policy.result;
const tlsOf = (...statements: object[]): string => of(...statements)['tls-only'].result;

const ALLOW = { Effect: 'Allow', Action: 's3:GetObject', Resource: `${ARN}/*` };
const named = { AWS: 'arn:aws:iam::123456789012:user/holdfast' };
const TLS = {
  Effect: 'Deny',
  Principal: '*',
  Action: 's3:*',
  Resource: [ARN, `${ARN}/*`],
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
};

test('everybody is found in each form in which a policy can name them', () => {
  for (const Principal of ['*', { AWS: '*' }, { AWS: ['arn:x', '*'] }, { CanonicalUser: '*' }]) {
    assert.equal(publicOf({ ...ALLOW, Principal }), 'fail', JSON.stringify(Principal));
  }
  assert.equal(publicOf({ ...ALLOW, Principal: { AWS: 'arn:aws:iam::*:root' } }), 'fail');
  assert.equal(publicOf({ ...ALLOW, NotPrincipal: named }), 'fail');
  assert.equal(publicOf(ALLOW), 'fail', 'without a principal');
  assert.equal(publicOf({ ...ALLOW, Principal: named }, { ...ALLOW, Principal: '*' }), 'fail');
});

test('who is named is not everybody, and a denial opens nothing', () => {
  assert.equal(publicOf({ ...ALLOW, Principal: named }), 'pass');
  assert.equal(publicOf(TLS), 'pass');
  assert.equal(judgePolicy(JSON.stringify({ Statement: TLS }), 'fleet').policy.result, 'pass');
});

test('a condition is for people to judge', () => {
  const Condition = { Bool: { 'aws:SecureTransport': 'true' } };
  assert.equal(publicOf({ ...ALLOW, Principal: '*', Condition }), 'unknown');
});

test('what is not understood is unknown', () => {
  for (const text of [
    '',
    '{',
    '[]',
    '{}',
    '{"Statement":1}',
    '{"Statement":[{"Effect":"allow"}]}',
  ]) {
    const verdicts = judgePolicy(text, 'fleet');
    assert.equal(verdicts.policy.result, 'unknown', text);
    assert.equal(verdicts['tls-only'].result, 'unknown', text);
  }
  assert.equal(publicOf({ ...ALLOW, Principal: named, Surprise: true }), 'unknown');
});

test('plain HTTP is denied only by a statement that lets nobody through', () => {
  assert.equal(tlsOf(TLS), 'pass');
  assert.equal(tlsOf({ ...TLS, Principal: { AWS: '*' } }), 'pass');
  assert.equal(tlsOf({ ...TLS, Resource: '*' }), 'pass');
  for (const change of [
    { Effect: 'Allow' },
    { Principal: named },
    { Action: 's3:GetObject' },
    { Resource: ARN },
    { Resource: `${ARN}/*` },
    { Resource: [ARN, `${ARN}/prod/*`] },
    { Resource: ['arn:aws:s3:::fleet-2', 'arn:aws:s3:::fleet-2/*'] },
    { Condition: {} },
    { Condition: { Bool: { 'aws:SecureTransport': 'true' } } },
    { Condition: { ...TLS.Condition, IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } },
    { Condition: { Bool: { 'aws:SecureTransport': 'false', 'aws:ViaAWSService': 'true' } } },
  ]) {
    assert.equal(tlsOf({ ...TLS, ...change }), 'fail', JSON.stringify(change));
  }
});

test('the policies that we print pass, with a principal and without', () => {
  for (const principal of [undefined, 'arn:aws:iam::123456789012:role/holdfast']) {
    for (const prefix of ['', 'prod/eu']) {
      const { bucketPolicy } = bucketPolicies({ bucket: 'fleet', prefix }, principal);
      const verdicts = judgePolicy(JSON.stringify(bucketPolicy), 'fleet');
      assert.equal(verdicts.policy.result, 'pass');
      assert.equal(verdicts['tls-only'].result, 'pass');
    }
  }
});

test('no policy that is any JSON passes by accident, and none throws', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const { policy } = judgePolicy(JSON.stringify(value), 'fleet');
      const isEmpty = typeof value === 'object' && value !== null && 'Statement' in value;
      assert.ok(isEmpty || policy.result === 'unknown');
    }),
  );
});

test('whoever is added to a policy, everybody among them is found', () => {
  const principal = fc.oneof(
    fc.constant(named),
    fc.constant({ AWS: ['arn:aws:iam::123456789012:root'] }),
    fc.constant({ Service: 'logging.s3.amazonaws.com' }),
  );
  const statements = fc.array(fc.record({ Principal: principal }), { maxLength: 5 });
  fc.assert(
    fc.property(statements, fc.nat(5), (some, at) => {
      const all = some.map((one) => ({ ...ALLOW, ...one }));
      assert.equal(publicOf(...all), 'pass');
      assert.equal(
        publicOf(...all.toSpliced(at, 0, { ...ALLOW, Principal: { AWS: '*' } })),
        'fail',
      );
    }),
  );
});
