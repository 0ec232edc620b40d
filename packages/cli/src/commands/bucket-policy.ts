/** `bucket policy`: the least that a server needs of a bucket. @module */
import { JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { jsonLine } from '../printable.ts';

/** Prints the policies for a bucket. */
export const bucketPolicy: Command = defineCommand(
  {
    path: 'bucket policy',
    summary: 'print the least-privilege policies for a bucket of S3',
    details:
      'Asks nobody, and changes nothing. The IAM policy belongs to the user or role of the\n' +
      'server, the bucket policy to the bucket. Stores without policies of users (Ceph) want\n' +
      'the right in the bucket policy: name the user with --principal.',
    arguments: ['bucket'],
    options: {
      principal: {
        type: 'string',
        value: 'ARN',
        help: 'let the bucket policy permit this user or role what the server needs',
      },
      only: {
        type: 'string',
        value: 'PART',
        help: 'print only iam, bucket or block, as a file for the tools of AWS',
      },
      json: JSON_OPTION,
    },
    examples: [
      'bucket policy s3://fleet-backup/prod',
      'bucket policy s3://fleet-backup/prod --only bucket > bucket.json',
    ],
  },
  async (world, { values, positionals: [name = ''] }) => {
    const { bucketPolicies, parseS3Name } = await world.server();
    const place = parseS3Name(name);
    if (place === undefined) {
      throw usageFailure(`"${name}" is no bucket.`, 'Such as s3://fleet-backup/prod.');
    }
    const { principal } = values;
    if (principal !== undefined && !/^arn:aws[a-z-]*:iam::[\w:/+=,.@-]{1,512}$/u.test(principal)) {
      throw usageFailure(
        `"${principal}" is no ARN of a user or role.`,
        'Such as --principal arn:aws:iam::123456789012:role/holdfast.',
      );
    }
    const policies = bucketPolicies(place, principal);
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine(policies));
    const parts = {
      iam: ['IAM policy of the user or role of the server', policies.iamPolicy],
      bucket: ['Bucket policy', policies.bucketPolicy],
      block: ['Public-access block of the bucket', policies.publicAccessBlock],
    } as const;
    if (values.only !== undefined) {
      const part = Object.entries(parts).find(([key]) => key === values.only)?.[1];
      if (part === undefined) {
        throw usageFailure(`There is no part "${values.only}".`, 'Give iam, bucket or block.');
      }
      return stdout.write(`${JSON.stringify(part[1], undefined, 2)}\n`);
    }
    const paint = paintFor(stdout);
    const texts = Object.values(parts).map(
      ([title, content]) => `${paint.strong(title)}\n${JSON.stringify(content, undefined, 2)}\n`,
    );
    stdout.write(texts.join('\n'));
  },
);
