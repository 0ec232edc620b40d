/** Judges what a store says of the settings of a bucket. @module */
import { type Verdict, fail, pass, unknown } from './bucket-checks.ts';
import { type PolicyVerdicts, judgePolicy } from './judge-policy.ts';
import { type S3, answeredError } from './s3-client.ts';

/** How the settings were judged. */
export interface SettingsVerdicts extends PolicyVerdicts {
  readonly acl: Verdict;
  readonly encryption: Verdict;
  readonly 'public-access-block': Verdict;
  readonly versioning: Verdict;
  readonly 'object-lock': Verdict;
  readonly logging: Verdict;
}

/** Reads and judges all settings. Throws what the SDK throws when the store does not answer. */
export async function judgeSettings(s3: S3, bucket: string): Promise<SettingsVerdicts> {
  const [policies, acl, encryption, block, versioning, lock, logging] = await Promise.all([
    judgePolicies(s3, bucket),
    judgeAcl(s3, bucket),
    judgeEncryption(s3, bucket),
    judgeBlock(s3, bucket),
    judgeVersioning(s3, bucket),
    judgeLock(s3, bucket),
    judgeLogging(s3, bucket),
  ]);
  return {
    ...policies,
    acl,
    encryption,
    'public-access-block': block,
    versioning,
    'object-lock': lock,
    logging,
  };
}

/**
 * Asks for a setting. `absent` says what an error means by which a store says that there is none;
 * any other error leaves it unknown.
 */
async function asked(
  ask: () => Promise<Verdict>,
  absent: Readonly<Record<string, Verdict>> = {},
): Promise<Verdict> {
  try {
    return await ask();
  } catch (error) {
    const answered = answeredError(error);
    if (answered === undefined) throw error;
    const { name, status } = answered;
    const meant = Object.hasOwn(absent, name) ? absent[name] : undefined;
    return meant ?? unknown(`The store does not say (${name}, ${status}).`);
  }
}

async function judgePolicies({ client, sdk }: S3, Bucket: string): Promise<PolicyVerdicts> {
  let verdicts: PolicyVerdicts | undefined;
  const none = pass('There is no bucket policy.');
  const policy = await asked(
    async () => {
      const { Policy } = await client.send(new sdk.GetBucketPolicyCommand({ Bucket }));
      if (Policy === undefined) return unknown('The store gave no bucket policy and no error.');
      verdicts = judgePolicy(Policy, Bucket);
      return verdicts.policy;
    },
    { NoSuchBucketPolicy: none },
  );
  if (verdicts !== undefined) return verdicts;
  const tls = policy === none ? fail('There is no bucket policy that denies plain HTTP.') : policy;
  return { policy, 'tls-only': tls };
}

function judgeAcl({ client, sdk }: S3, Bucket: string): Promise<Verdict> {
  return asked(async () => {
    const { Owner, Grants } = await client.send(new sdk.GetBucketAclCommand({ Bucket }));
    if (Owner === undefined || Grants === undefined) return unknown('The store gave no ACL.');
    const open = Grants.filter(({ Grantee }) => OPEN_GROUP.test(Grantee?.URI ?? ''));
    if (open.length === 0) return pass('The ACL grants nothing to groups of strangers.');
    const rights = [...new Set(open.map(({ Permission }) => Permission ?? 'something'))];
    return fail(`The ACL grants ${rights.join(', ')} to everybody, or to every account.`);
  });
}

function judgeEncryption({ client, sdk }: S3, Bucket: string): Promise<Verdict> {
  return asked(
    async () => {
      const answer = await client.send(new sdk.GetBucketEncryptionCommand({ Bucket }));
      const [rule] = answer.ServerSideEncryptionConfiguration?.Rules ?? [];
      const algorithm = rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm;
      // Stores that lack the call answer with something else, which reads as no rule at all.
      if (algorithm === undefined) return unknown('The store does not say how it encrypts.');
      return pass(`Objects are encrypted by default (${algorithm}).`);
    },
    {
      ServerSideEncryptionConfigurationNotFoundError: fail('There is no default encryption.'),
    },
  );
}

function judgeBlock({ client, sdk }: S3, Bucket: string): Promise<Verdict> {
  return asked(
    async () => {
      const answer = await client.send(new sdk.GetPublicAccessBlockCommand({ Bucket }));
      const block = answer.PublicAccessBlockConfiguration ?? {};
      const settings = BLOCK_SETTINGS.map((name) => [name, block[name]] as const);
      if (settings.some(([, isOn]) => isOn === undefined)) {
        return unknown('The store does not say what it blocks.');
      }
      const off = settings.filter(([, isOn]) => isOn === false).map(([name]) => name);
      if (off.length === 0) return pass('Public access is blocked in all four ways.');
      return fail(`Public access is not blocked in every way: ${off.join(', ')} is off.`);
    },
    { NoSuchPublicAccessBlockConfiguration: fail('Public access is not blocked.') },
  );
}

function judgeVersioning({ client, sdk }: S3, Bucket: string): Promise<Verdict> {
  return asked(async () => {
    const { Status } = await client.send(new sdk.GetBucketVersioningCommand({ Bucket }));
    return Status === 'Enabled' ? pass('Versioning is on.') : fail('Versioning is off.');
  });
}

function judgeLock({ client, sdk }: S3, Bucket: string): Promise<Verdict> {
  const none = pass('There is no default retention.');
  return asked(
    async () => {
      const answer = await client.send(new sdk.GetObjectLockConfigurationCommand({ Bucket }));
      const { ObjectLockEnabled, Rule } = answer.ObjectLockConfiguration ?? {};
      if (ObjectLockEnabled === undefined) return unknown('The store does not say.');
      return Rule?.DefaultRetention === undefined ? none : fail('There is a default retention.');
    },
    { ObjectLockConfigurationNotFoundError: none },
  );
}

function judgeLogging({ client, sdk }: S3, Bucket: string): Promise<Verdict> {
  return asked(async () => {
    const { LoggingEnabled } = await client.send(new sdk.GetBucketLoggingCommand({ Bucket }));
    if (LoggingEnabled?.TargetBucket === undefined) return fail('Access is not logged.');
    return LoggingEnabled.TargetBucket === Bucket
      ? fail('Access is logged into this bucket itself.')
      : pass('Access is logged.');
  });
}

const OPEN_GROUP = /\/(?:AllUsers|AuthenticatedUsers)$/u;
const BLOCK_SETTINGS = [
  'BlockPublicAcls',
  'IgnorePublicAcls',
  'BlockPublicPolicy',
  'RestrictPublicBuckets',
] as const;
