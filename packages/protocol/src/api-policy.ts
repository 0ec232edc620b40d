/** The HTTP API of the policy and of second persons: requests and responses. @module */
import { z } from 'zod';
import { line, text, time } from './api-fields.ts';

/** Characters of a policy's text. */
export const POLICY_TEXT_MAX = 32_768;
/** Expected decisions that one test may hold. */
export const POLICY_EXPECTATIONS_MAX = 500;

const policyText = z.string().max(POLICY_TEXT_MAX);
const number = z.int().min(1);
/** What there is to think about in a policy that may be set all the same. */
const warnings = z.array(text(1_024)).optional();
/** Who or what, as people write it: `person:ada`, `role:viewer`, `device:pump-1`, `server`. */
const term = line(256);

/** A version of the policy, without its text. */
export const PolicyVersionViewSchema = z
  .object({
    number,
    /** SHA-256 of the text, lower-case hex; the act on the audit log says the same. */
    sha256: text(64),
    author: text(256),
    reason: text(512),
    at: time,
  })
  .meta({ id: 'PolicyVersion' });
export type PolicyVersionView = Readonly<z.infer<typeof PolicyVersionViewSchema>>;

/** `GET /v1/policy`, `GET /v1/policy/versions/{number}`. */
export const PolicySchema = z
  .object({ version: PolicyVersionViewSchema, text: text(POLICY_TEXT_MAX) })
  .meta({ id: 'Policy' });
export type PolicyView = Readonly<z.infer<typeof PolicySchema>>;

/** The answer to `POST /v1/policy` and `POST /v1/policy/rollback`. */
export const SetPolicySchema = PolicySchema.extend({ warnings }).meta({ id: 'SetPolicy' });
export type SetPolicyView = Readonly<z.infer<typeof SetPolicySchema>>;

/** `GET /v1/policy/versions`. */
export const PolicyVersionListSchema = z
  .object({ versions: z.array(PolicyVersionViewSchema) })
  .meta({ id: 'PolicyVersionList' });

export const PolicyVersionPathSchema = z.object({ number: z.coerce.number().int().min(1) });
export const PolicyPageQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  /** Only versions before this number. */
  before: z.coerce.number().int().min(1).optional(),
});

/** `POST /v1/policy`: the next version. */
export const SetPolicyRequestSchema = z
  .strictObject({ text: policyText, reason: line(256) })
  .meta({ id: 'SetPolicyRequest' });
export type SetPolicyRequest = Readonly<z.infer<typeof SetPolicyRequestSchema>>;

/** `POST /v1/policy/rollback`: the text of an earlier version becomes the next one. */
export const RollbackPolicyRequestSchema = z
  .strictObject({ number, reason: line(256) })
  .meta({ id: 'RollbackPolicyRequest' });

/** `POST /v1/policy/diff`. */
export const PolicyTextRequestSchema = z
  .strictObject({ text: policyText })
  .meta({ id: 'PolicyTextRequest' });

/** One decision that would change. */
export const DecisionChangeSchema = z
  .object({
    principal: text(512),
    action: text(64),
    resource: text(512),
    /** What it becomes. */
    becomes: z.enum(['permit', 'refuse']),
    /** The rules that decide it before, and after. */
    rulesBefore: z.array(text(256)),
    rulesAfter: z.array(text(256)),
    /** How often it was asked since it is remembered, and when last. */
    count: z.int(),
    lastAt: time,
  })
  .meta({ id: 'DecisionChange' });
export type DecisionChangeView = Readonly<z.infer<typeof DecisionChangeSchema>>;

export const PolicyDiffSchema = z
  .object({
    /** Decisions that were tried. */
    tried: z.int(),
    changes: z.array(DecisionChangeSchema),
    warnings,
  })
  .meta({ id: 'PolicyDiff' });
export type PolicyDiff = Readonly<z.infer<typeof PolicyDiffSchema>>;

/** `POST /v1/policy/explain`. */
export const ExplainRequestSchema = z
  .strictObject({ principal: term, action: line(64), resource: term })
  .meta({ id: 'ExplainRequest' });
export type ExplainRequest = Readonly<z.infer<typeof ExplainRequestSchema>>;

export const ExplanationSchema = z
  .object({
    decision: z.enum(['permit', 'refuse']),
    /** The rules that decide; none when no rule permits it. */
    rules: z.array(z.object({ name: text(256), line: z.int(), text: text(POLICY_TEXT_MAX) })),
    /** What would make a yes of a no. */
    missing: z.enum(['step-up', 'second-person']).optional(),
  })
  .meta({ id: 'Explanation' });
export type Explanation = Readonly<z.infer<typeof ExplanationSchema>>;

/** `POST /v1/policy/test`: expected decisions, by the policy in force or by a text. */
export const PolicyTestRequestSchema = z
  .strictObject({
    text: policyText.optional(),
    expectations: z
      .array(
        z.strictObject({
          decision: z.enum(['permit', 'refuse']),
          principal: term,
          action: line(64),
          resource: term,
          /** As after a proof of the second factor, and with another person's approval. */
          steppedUp: z.boolean().default(false),
          secondPerson: z.boolean().default(false),
        }),
      )
      .max(POLICY_EXPECTATIONS_MAX),
  })
  .meta({ id: 'PolicyTestRequest' });
export type PolicyTestRequest = z.input<typeof PolicyTestRequestSchema>;

export const PolicyTestSchema = z
  .object({
    /** In the order of the expectations. */
    outcomes: z.array(
      z.object({
        decision: z.enum(['permit', 'refuse']),
        isExpected: z.boolean(),
        rules: z.array(text(256)),
      }),
    ),
  })
  .meta({ id: 'PolicyTest' });
export type PolicyTest = Readonly<z.infer<typeof PolicyTestSchema>>;

/** A request that waits for a second person. */
export const ApprovalViewSchema = z
  .object({
    id: text(16),
    principal: text(256),
    action: text(64),
    resource: text(512),
    /** The request, so that whoever approves knows what: method, path and body. */
    request: text(512),
    body: text(65_536),
    askedAt: time,
    expiresAt: time,
    /** Who approved it; absent while it waits. */
    approvedBy: text(256).optional(),
  })
  .meta({ id: 'Approval' });
export type ApprovalView = Readonly<z.infer<typeof ApprovalViewSchema>>;

/** `GET /v1/approvals`. */
export const ApprovalListSchema = z
  .object({ approvals: z.array(ApprovalViewSchema) })
  .meta({ id: 'ApprovalList' });

export const ApprovalPathSchema = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/) });
