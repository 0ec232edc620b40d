/** `bucket check`, `bucket list`, `bucket accept`: what is found at a bucket, and which risks are taken. @module */
import { ACCEPTED_DAYS } from '@holdfast/protocol/api';
import type { BucketFinding, BucketView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, JSON_OPTION, defineCommand, integerOption } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import type { World } from '../world.ts';
import { required } from './backup.ts';

const OUTPUT_OPTIONS = { json: JSON_OPTION, data: DATA_OPTION } as const;

/** Looks at a bucket. */
export const bucketCheck: Command = defineCommand(
  {
    path: 'bucket check',
    summary: 'look whether a bucket of S3 is safe to use',
    details:
      'The server reads its ACL, policy, public-access block, encryption, versioning and\n' +
      'logging, puts an object of random bytes, tries to get it as a stranger, and removes\n' +
      'it. It does so by itself before the first backup, and then daily. "unknown" is what\n' +
      'the store does not tell: it never counts as safe. The exit code is 1 when the bucket\n' +
      'is refused.',
    arguments: ['bucket'],
    options: OUTPUT_OPTIONS,
    examples: ['bucket check s3://fleet-backup/prod'],
  },
  async (world, { values, positionals: [name = ''] }) => {
    const bucket = await withClient(world, values.data, (client) => client.checkBucket(name));
    world.stdout.write(values.json === true ? jsonLine(bucket) : bucketText(bucket, world));
    if (bucket.isUsable) return;
    throw new Failure('E_BUCKETS_RISK', {
      what: `Nothing is put into ${printable(name)}.`,
      why: 'Its settings, above, could lose what is in it or show it to others.',
      fix: 'Mend what is marked, or accept the risk on the record: holdfast bucket accept --help',
    });
  },
);

/** Lists the buckets that were looked at. */
export const bucketList: Command = defineCommand(
  {
    path: 'bucket list',
    summary: 'show the buckets that are in use, as they were found last',
    options: OUTPUT_OPTIONS,
    examples: ['bucket list'],
  },
  async (world, { values }) => {
    const buckets = await withClient(world, values.data, (client) => client.buckets());
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine({ buckets }));
    if (buckets.length === 0) return stdout.write('No bucket of S3 was looked at yet.\n');
    stdout.write(buckets.map((bucket) => bucketText(bucket, world)).join('\n'));
  },
);

/** Accepts a risk. */
export const bucketAccept: Command = defineCommand(
  {
    path: 'bucket accept',
    summary: 'accept a risk that was found at a bucket, on the record, for some days',
    details:
      'CHECK is the name that holdfast bucket check shows. What was accepted while it was\n' +
      'unknown does not count once it is known to be bad. What is put into a bucket is sealed\n' +
      'by the server as well; its size, and when it comes, show.',
    arguments: ['bucket', 'check'],
    options: {
      reason: { type: 'string', value: 'TEXT', help: 'why, for the audit log' },
      days: {
        type: 'string',
        value: 'N',
        help: `how long it counts (default ${ACCEPTED_DAYS.default}, at most ${ACCEPTED_DAYS.max})`,
      },
      ...OUTPUT_OPTIONS,
    },
    examples: ['bucket accept s3://fleet/prod encryption --reason "the disks are encrypted"'],
  },
  async (world, { values, positionals: [name = '', check = ''] }) => {
    const reason = required(
      values.reason,
      'reason',
      'bucket accept s3://fleet/prod encryption --reason "the disks are encrypted"',
    );
    const { min, max } = ACCEPTED_DAYS;
    const asked = values.days ?? String(ACCEPTED_DAYS.default);
    const days = integerOption(asked, { name: 'days', min, max });
    const bucket = await withStepUp(world, values.data, (client) =>
      client.acceptBucket({ name, check, reason, days }),
    );
    world.stdout.write(values.json === true ? jsonLine(bucket) : bucketText(bucket, world));
  },
);

function bucketText({ name, checkedAt, isUsable, findings }: BucketView, world: World): string {
  const paint = paintFor(world.stdout);
  const state = isUsable ? paint.good('is used') : paint.bad('is refused');
  const when = localTime(checkedAt, world.timeZone);
  const lines = findings.map((finding) => findingText(finding, world));
  return `${paint.strong(printable(name))} ${state}, as it was found ${when}:\n${lines.join('')}`;
}

function findingText(
  { check, result, what, why, fix, isRequired, accepted }: BucketFinding,
  { stdout, timeZone }: World,
): string {
  const paint = paintFor(stdout);
  const isBlocking = isRequired && result !== 'pass' && accepted === undefined;
  const mark = { pass: paint.good('pass   '), fail: paint.bad('FAIL   '), unknown: 'unknown' }[
    result
  ];
  const line = `  ${mark} ${check.padEnd(CHECK_WIDTH)} ${printable(what)}\n`;
  if (result === 'pass') return line;
  const indent = ' '.repeat(CHECK_WIDTH + INDENT);
  const consent =
    accepted === undefined
      ? ''
      : `${indent}accepted by ${printable(accepted.by)} until ` +
        `${localTime(accepted.until, timeZone)}: ${printable(accepted.reason)}\n`;
  const weight = isBlocking ? paint.bad('refused for this') : paint.faint('advice');
  const head = accepted === undefined ? `${indent}${weight}: ` : indent;
  return `${line}${consent}${head}${paint.faint(printable(why))}\n${indent}${printable(fix)}\n`;
}

const CHECK_WIDTH = 19;
const INDENT = 11;
