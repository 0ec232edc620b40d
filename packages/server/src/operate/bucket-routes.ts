/** Buckets: what was found at them, and which risks somebody accepts. @module */
import { refuse } from '@holdfast/protocol';
import {
  AcceptBucketRequestSchema,
  BucketListSchema,
  type BucketFinding,
  type BucketView,
  BucketViewSchema,
  CheckBucketRequestSchema,
} from '@holdfast/protocol/api';
import {
  type Acceptance,
  BUCKET_CHECKS,
  type Finding,
  type Judgement,
  type Judgements,
  isBucketCheck,
} from '../buckets/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { isoTime } from './views.ts';

const DAY_MS = 86_400_000;
const BUCKET = { 200: json(BucketViewSchema, 'The bucket as it was found.') };

export function addBucketRoutes(routes: Routes, deps: ApiDeps): void {
  const { buckets, clock } = deps;
  routes.add(
    { action: 'bucket:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/buckets',
      summary: 'Lists the buckets that were looked at, as they were found last.',
      responses: { 200: json(BucketListSchema, 'In the order of their names.') },
    },
    (c) => {
      const { judgements } = buckets;
      const views = judgements.all().map((one) => bucketView(one, judgements, clock.nowMs()));
      return c.json({ buckets: views }, 200);
    },
  );

  routes.add(
    { action: 'bucket:check', on: 'server' },
    {
      method: 'post',
      path: '/v1/buckets/check',
      summary: 'Looks at a bucket: its settings, and what it does with an object.',
      request: { body: jsonBody(CheckBucketRequestSchema) },
      responses: BUCKET,
    },
    async (c) => {
      const { name } = c.req.valid('json');
      await recordFirst(deps, {
        action: 'bucket.check',
        principal: c.get('caller').principal,
        target: name,
      });
      const judgement = accepted(await buckets.check(name));
      return c.json(bucketView(judgement, buckets.judgements, clock.nowMs()), 200);
    },
  );

  routes.add(
    { action: 'bucket:accept', on: 'server' },
    {
      method: 'post',
      path: '/v1/buckets/accept',
      summary: 'Accepts a risk that was found, for some days.',
      request: { body: jsonBody(AcceptBucketRequestSchema) },
      responses: BUCKET,
    },
    async (c) => {
      const { name, check, reason, days } = c.req.valid('json');
      if (!isBucketCheck(check)) {
        throw new RefusedRequest(refuse('E_OPERATE_INPUT', `There is no check "${check}".`));
      }
      const { principal } = c.get('caller');
      const request = { name, check, reason, by: principal, lifeMs: days * DAY_MS };
      const acceptance = accepted(buckets.prepareAcceptance(request));
      const { result, untilMs } = acceptance;
      await recordFirst(deps, {
        action: 'bucket.accept',
        principal,
        target: name,
        reason,
        facts: { check, result, untilMs },
      });
      const { judgements } = buckets;
      judgements.accept(acceptance);
      const judgement = judgements.read(name);
      if (judgement === undefined) throw new Error('a bucket that was accepted is not there');
      return c.json(bucketView(judgement, judgements, clock.nowMs()), 200);
    },
  );
}

function bucketView(judgement: Judgement, judgements: Judgements, nowMs: number): BucketView {
  const { name, atMs, findings } = judgement;
  return {
    name,
    checkedAt: isoTime(atMs),
    isUsable: judgements.openRisks(judgement, nowMs).length === 0,
    findings: findings.map((finding) =>
      findingView(finding, judgements.acceptanceOf(name, finding, nowMs)),
    ),
  };
}

function findingView({ check, result, what }: Finding, acceptance?: Acceptance): BucketFinding {
  const { isRequired, why, fix } = BUCKET_CHECKS[check];
  const view = { check, result, what, why, fix, isRequired };
  if (acceptance === undefined) return view;
  const { by, reason, untilMs } = acceptance;
  return { ...view, accepted: { by, reason, until: isoTime(untilMs) } };
}
