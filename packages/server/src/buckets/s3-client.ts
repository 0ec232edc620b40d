/** The client of S3, loaded only where S3 is configured, and what its errors mean. @module */
import type * as Sdk from '@aws-sdk/client-s3';
import { awsClientOptions } from '../crypto/index.ts';
import { Fault, errorCode } from '../kernel/index.ts';
import type { S3Place } from './s3-place.ts';

/** A store that speaks the API of S3. */
export interface S3 {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
  /** Asks as somebody who has no credentials. */
  readonly anonymous: Sdk.S3Client;
  close(): void;
}

/**
 * Makes the clients; asks nothing yet.
 * @throws Fault `E_BUCKETS_LIBRARY` when the SDK is not installed.
 */
export async function openS3(place: S3Place): Promise<S3> {
  const sdk = await loadSdk();
  const { addressing = place.endpoint === undefined ? 'host' : 'path' } = place;
  const options: Sdk.S3ClientConfig = {
    ...(await awsClientOptions(place)),
    forcePathStyle: addressing === 'path',
    // We give the checksum of what we put; older stores refuse the others.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    followRegionRedirects: false,
  };
  const client = new sdk.S3Client(options);
  const anonymous = new sdk.S3Client({
    ...options,
    credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' },
    signer: { sign: (request) => Promise.resolve(request) },
  });
  const close = (): void => {
    client.destroy();
    anonymous.destroy();
  };
  return { sdk, client, anonymous, close };
}

async function loadSdk(): Promise<typeof Sdk> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (cause) {
    throw new Fault({
      code: 'E_BUCKETS_LIBRARY',
      what: 'The client of S3 is not installed.',
      fix: 'Install the optional dependencies: npm ci --include=optional',
      cause,
    });
  }
}

/** The name of the error that a store answered with; undefined when it did not answer. */
export function answeredError(error: unknown): { name: string; status: number } | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const { $metadata: metadata } = error;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) {
    return undefined;
  }
  const { httpStatusCode: status } = metadata;
  // What is no name comes from the store, and is for people: nothing else of it is shown.
  const name = /^\w{1,64}$/u.test(error.name) ? error.name : 'an error';
  return typeof status === 'number' ? { name, status } : undefined;
}

/** Asks a store. @throws Fault `E_BUCKETS_…`, which quotes nothing that the store said. */
export async function ask<T>(name: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (cause) {
    throw asBucketFault(name, cause);
  }
}

/** What went wrong, for the operator. */
function asBucketFault(name: string, cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  const answered = answeredError(cause);
  if (answered === undefined) return unreachableFault(name, cause);
  const { code, fix } = MEANINGS.get(answered.name) ?? meaningOf(answered.status);
  return new Fault({
    code,
    what: `${name} did not do what it was asked (${answered.name}, ${answered.status}).`,
    fix,
    cause,
  });
}

/** A list that does not end is no list. */
export function endlessFault(name: string): Fault {
  return new Fault({
    code: 'E_BUCKETS_S3',
    what: `${name} lists more than there can be.`,
    fix: 'Look at the store: it may not be what it seems. Give the backups a prefix of their own.',
  });
}

function unreachableFault(name: string, cause: unknown): Fault {
  const why = errorCode(cause) ?? (cause instanceof Error ? cause.name : 'unknown error');
  const isIdentity = why === 'CredentialsProviderError';
  return new Fault({
    code: isIdentity ? 'E_BUCKETS_DENIED' : 'E_BUCKETS_UNREACHABLE',
    what: `${name} cannot be reached (${why}).`,
    fix: isIdentity
      ? 'Give a file with credentials: --s3-credentials FILE.'
      : 'Check the endpoint, the network, and for an authority of your own --s3-ca.',
    cause,
  });
}

interface Meaning {
  readonly code: string;
  readonly fix: string;
}

function meaningOf(status: number): Meaning {
  return status === 401 || status === 403 ? DENIED : OTHER;
}

const DENIED: Meaning = {
  code: 'E_BUCKETS_DENIED',
  fix: 'Permit what is needed, and nothing else: holdfast bucket policy prints it.',
};
const CREDENTIALS: Meaning = {
  code: 'E_BUCKETS_DENIED',
  fix: 'Check the access key in the file that --s3-credentials names.',
};
const OTHER: Meaning = {
  code: 'E_BUCKETS_S3',
  fix: 'Try again, and look at the log of the store.',
};
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  ['InvalidAccessKeyId', CREDENTIALS],
  ['SignatureDoesNotMatch', CREDENTIALS],
  ['ExpiredToken', CREDENTIALS],
  ['RequestTimeTooSkewed', { code: 'E_BUCKETS_DENIED', fix: 'Set the clock of this machine.' }],
  ['NoSuchBucket', { code: 'E_BUCKETS_NONE', fix: 'Check the name, or make the bucket.' }],
  ['PermanentRedirect', { code: 'E_BUCKETS_NONE', fix: 'Give the region of it: --s3-region.' }],
]);
