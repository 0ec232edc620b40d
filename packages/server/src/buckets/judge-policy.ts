/** Judges the text of a bucket policy. What it does not understand is unknown. @module */
import { z } from 'zod';
import { type Verdict, fail, pass, unknown } from './bucket-checks.ts';

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const principal = z
  .union([z.string(), z.record(z.string(), z.union([z.string(), z.array(z.string())]))])
  .transform((value) => (typeof value === 'string' ? [value] : Object.values(value).flat()));
const StatementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: principal.optional(),
  NotPrincipal: principal.optional(),
  Action: oneOrMore.optional(),
  NotAction: oneOrMore.optional(),
  Resource: oneOrMore.optional(),
  NotResource: oneOrMore.optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
type Statement = z.infer<typeof StatementSchema>;
const PolicySchema = z.strictObject({
  Version: z.string().optional(),
  Id: z.string().optional(),
  Statement: z.union([
    z.array(StatementSchema),
    StatementSchema.transform((statement) => [statement]),
  ]),
});

/** How a policy was judged. */
export interface PolicyVerdicts {
  readonly policy: Verdict;
  readonly 'tls-only': Verdict;
}

/**
 * Judges a policy by its own text. What a store says of it (`IsPublic`) is not asked for: Ceph 16
 * calls every permit public, and none that has a condition, whatever that condition is.
 */
export function judgePolicy(text: string, bucket: string): PolicyVerdicts {
  const statements = statementsOf(text);
  if (statements === undefined) {
    const verdict = unknown('The bucket policy cannot be read as one.');
    return { policy: verdict, 'tls-only': verdict };
  }
  return {
    policy: judgePublic(statements),
    'tls-only': statements.some((statement) => deniesPlainHttp(statement, bucket))
      ? pass('Requests without TLS are denied by the bucket policy.')
      : fail('The bucket policy does not deny requests without TLS.'),
  };
}

function statementsOf(text: string): Statement[] | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  return PolicySchema.safeParse(content).data?.Statement;
}

function judgePublic(statements: readonly Statement[]): Verdict {
  const open = statements.filter(allowsEverybody);
  if (open.some(({ Condition }) => Condition === undefined)) {
    return fail('The bucket policy allows everybody something.');
  }
  if (open.length === 0) return pass('The bucket policy allows nobody but those whom it names.');
  // Some conditions keep strangers out, and most do not: somebody has to look.
  return unknown('The bucket policy allows everybody something, under a condition.');
}

/** A wildcard anywhere in a principal is taken for everybody. */
function allowsEverybody({ Effect, Principal, NotPrincipal }: Statement): boolean {
  if (Effect !== 'Allow') return false;
  return NotPrincipal !== undefined || (Principal ?? ['*']).some((name) => name.includes('*'));
}

function deniesPlainHttp(statement: Statement, bucket: string): boolean {
  const { Effect, Principal = [], Action = [], Resource = [], Condition = {} } = statement;
  const arn = `arn:aws:s3:::${bucket}`;
  const isCovered = (wanted: string): boolean =>
    Resource.some((one) => ['*', 'arn:aws:s3:::*', `${arn}*`, wanted].includes(one));
  const { Bool: { 'aws:SecureTransport': value, ...otherBools } = {}, ...others } = Condition;
  return (
    Effect === 'Deny' &&
    Principal.includes('*') &&
    Action.some((action) => action === '*' || action === 's3:*') &&
    isCovered(arn) &&
    isCovered(`${arn}/*`) &&
    [value].flat().map(String).join() === 'false' &&
    // Each further condition has to hold as well, and would let some through.
    Object.keys(otherBools).length === 0 &&
    Object.keys(others).length === 0
  );
}
