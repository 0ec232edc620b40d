/** Options of commands that reach buckets of S3. @module */
import type { StartOptions } from '@holdfast/server';
import type { OptionSet } from '../command.ts';
import { usageFailure } from '../failure.ts';

export const S3_OPTIONS = {
  's3-region': { type: 'string', value: 'REGION', help: 'region of the buckets of S3' },
  's3-endpoint': {
    type: 'string',
    value: 'URL',
    help: 'https: address of a store of your own that speaks the API of S3',
  },
  's3-ca': { type: 'string', value: 'FILE', help: 'PEM authority of that store' },
  's3-credentials': {
    type: 'string',
    value: 'FILE',
    help: 'JSON with accessKeyId and secretAccessKey, mode 0600 (default: as the AWS SDK does)',
  },
  's3-addressing': {
    type: 'string',
    value: 'HOW',
    help: 'the bucket in the path or in the host name: path, host (default: path at an endpoint)',
  },
} as const satisfies OptionSet;

type Values = Readonly<Partial<Record<keyof typeof S3_OPTIONS, string | undefined>>>;

/** Reads these options; undefined when there are none. @throws Failure `E_CLI_USAGE` */
export function s3Of(values: Values): StartOptions['s3'] {
  const given = Object.keys(S3_OPTIONS).filter(
    (name) => values[name as keyof Values] !== undefined,
  );
  if (given.length === 0) return undefined;
  const { 's3-endpoint': endpoint, 's3-addressing': addressing } = values;
  // A store of one's own has one region, and this is how it is called where nobody named it.
  const region = values['s3-region'] ?? (endpoint === undefined ? undefined : 'us-east-1');
  if (region === undefined) {
    throw usageFailure(`--${given[0]} is given without a region.`, 'Give --s3-region as well.');
  }
  if (!/^[a-z0-9-]{1,64}$/u.test(region)) {
    throw usageFailure(`"${region}" is no region.`, 'Such as --s3-region eu-central-1.');
  }
  if (endpoint !== undefined && URL.parse(endpoint)?.protocol !== 'https:') {
    throw usageFailure('--s3-endpoint is no https: address.', 'Buckets are reached by TLS only.');
  }
  if (addressing !== undefined && addressing !== 'path' && addressing !== 'host') {
    throw usageFailure(`There is no addressing "${addressing}".`, 'Give path or host.');
  }
  return {
    region,
    endpoint,
    addressing,
    caFile: values['s3-ca'],
    credentialsFile: values['s3-credentials'],
  };
}
