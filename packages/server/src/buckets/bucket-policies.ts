/** The least that a server needs of a bucket, as policies of AWS. @module */
import { type S3Name, keyAt } from './s3-place.ts';

/** Statement of a policy of AWS. */
type Statement = Readonly<Record<string, unknown>>;

/** A policy document of AWS. */
export interface AwsPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** What to put where. */
export interface BucketPolicies {
  /** For the user or role of the server. */
  readonly iamPolicy: AwsPolicy;
  /** For the bucket. */
  readonly bucketPolicy: AwsPolicy;
  /** For the bucket, or the account. */
  readonly publicAccessBlock: Readonly<Record<string, true>>;
}

const OBJECT_ACTIONS = [
  's3:GetObject',
  's3:PutObject',
  's3:DeleteObject',
  's3:DeleteObjectVersion',
];
const LIST_ACTIONS = ['s3:ListBucket', 's3:ListBucketVersions'];
/** What the judgement of the bucket reads. */
const JUDGE_ACTIONS = [
  's3:GetBucketAcl',
  's3:GetBucketLogging',
  's3:GetBucketObjectLockConfiguration',
  's3:GetBucketPolicy',
  's3:GetBucketPublicAccessBlock',
  's3:GetBucketVersioning',
];
/** Ceph refuses a policy that names an action which it does not know, and it has no such call. */
const AWS_JUDGE_ACTIONS = ['s3:GetEncryptionConfiguration'];
const AWS_ACCOUNT = /^arn:aws[a-z-]*:iam::\d{12}:/u;

/**
 * Makes the policies.
 * @param principal - ARN of the user or role of the server. With it, the bucket policy permits by
 *   itself what the server needs, as stores without policies of users want it.
 */
export function bucketPolicies(place: S3Name, principal?: string): BucketPolicies {
  const arn = `arn:aws:s3:::${place.bucket}`;
  const isAws = principal === undefined || AWS_ACCOUNT.test(principal);
  const objects = `${arn}/${keyAt(place, '*')}`;
  const allowed = (Principal?: object): Statement[] => [
    { Sid: 'Objects', Effect: 'Allow', ...Principal, Action: OBJECT_ACTIONS, Resource: objects },
    {
      Sid: 'List',
      Effect: 'Allow',
      ...Principal,
      Action: LIST_ACTIONS,
      Resource: arn,
      ...(place.prefix !== '' && {
        Condition: { StringLike: { 's3:prefix': keyAt(place, '*') } },
      }),
    },
    {
      Sid: 'Judge',
      Effect: 'Allow',
      ...Principal,
      Action: isAws ? [...JUDGE_ACTIONS, ...AWS_JUDGE_ACTIONS] : JUDGE_ACTIONS,
      Resource: arn,
    },
  ];
  const granted = principal === undefined ? [] : allowed({ Principal: { AWS: [principal] } });
  return {
    iamPolicy: document(allowed()),
    bucketPolicy: document([...granted, ...denied(arn)]),
    publicAccessBlock: {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    },
  };
}

/** What nobody may do, whatever else permits it. */
function denied(arn: string): Statement[] {
  return [
    {
      Sid: 'TlsOnly',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Resource: [arn, `${arn}/*`],
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
    {
      // Who names no encryption gets that of the bucket; who names another one is denied.
      Sid: 'EncryptedOnly',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:PutObject',
      Resource: `${arn}/*`,
      Condition: {
        Null: { 's3:x-amz-server-side-encryption': 'false' },
        StringNotEquals: {
          's3:x-amz-server-side-encryption': ['AES256', 'aws:kms', 'aws:kms:dsse'],
        },
      },
    },
  ];
}

function document(statements: readonly Statement[]): AwsPolicy {
  return { Version: '2012-10-17', Statement: statements };
}
