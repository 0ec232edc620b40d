/** What is looked at before a bucket is used, as data. @module */

/** How one check came out; `unknown` is a call that the store lacks or denies, never a pass. */
export type CheckResult = 'pass' | 'fail' | 'unknown';

interface CheckText {
  /** Whether the bucket is refused unless it passes, or somebody accepts the risk. */
  readonly isRequired: boolean;
  readonly why: string;
  readonly fix: string;
}

/** The checks, in the order in which they are shown. */
export const BUCKET_CHECKS = {
  anonymous: {
    isRequired: true,
    why: 'What anybody can fetch, anybody can keep until its keys leak.',
    fix: 'Block public access to the bucket; see holdfast bucket policy.',
  },
  acl: {
    isRequired: true,
    why: 'Grants to AllUsers or AuthenticatedUsers open the bucket to strangers.',
    fix: 'Set the ACL to private, or disable ACLs (object ownership: bucket owner enforced).',
  },
  policy: {
    isRequired: true,
    why: 'A statement that allows everybody opens the bucket to strangers.',
    fix: 'Put the bucket policy in its place that holdfast bucket policy prints.',
  },
  encryption: {
    isRequired: true,
    why: 'Without it, disks that leave the provider leave with the objects on them.',
    fix: 'Turn default encryption on (SSE-S3 or SSE-KMS).',
  },
  removal: {
    isRequired: true,
    why: 'An erasure has to replace keys for good; what cannot be removed cannot be erased.',
    fix: 'Permit DeleteObject and DeleteObjectVersion, and set no default retention.',
  },
  'public-access-block': {
    isRequired: false,
    why: 'It keeps a later mistake in ACL or policy from opening the bucket.',
    fix: 'Turn all four settings of Block Public Access on.',
  },
  'tls-only': {
    isRequired: false,
    why: 'Without it, other clients can use the bucket over plain HTTP.',
    fix: 'Deny requests without aws:SecureTransport; holdfast bucket policy prints it.',
  },
  versioning: {
    isRequired: false,
    why: 'Without it, what another program overwrites or deletes by mistake is lost.',
    fix: 'Turn versioning on. We remove old versions of our own objects ourselves.',
  },
  'object-lock': {
    isRequired: false,
    why: 'A default retention keeps the keys of erased devices readable until it ends.',
    fix: 'Set no default retention on this bucket.',
  },
  logging: {
    isRequired: false,
    why: 'Without it, nobody can tell afterwards who fetched what.',
    fix: 'Turn server access logging on, into another bucket.',
  },
} as const satisfies Readonly<Record<string, CheckText>>;

export type BucketCheck = keyof typeof BUCKET_CHECKS;

/** Names of the checks. */
export const BUCKET_CHECK_NAMES = Object.keys(BUCKET_CHECKS).filter(isBucketCheck);

export function isBucketCheck(text: string): text is BucketCheck {
  return Object.hasOwn(BUCKET_CHECKS, text);
}

/** How a check came out. */
export interface Verdict {
  readonly result: CheckResult;
  /** What was seen. */
  readonly what: string;
}

/** How one check of a bucket came out. */
export interface Finding extends Verdict {
  readonly check: BucketCheck;
}

export const pass = (what: string): Verdict => ({ result: 'pass', what });
export const fail = (what: string): Verdict => ({ result: 'fail', what });
export const unknown = (what: string): Verdict => ({ result: 'unknown', what });
