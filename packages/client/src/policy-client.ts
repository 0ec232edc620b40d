/** The policy and second persons, as a part of the client. @module */
import {
  ApprovalListSchema,
  ApprovalViewSchema,
  ExplanationSchema,
  PolicyDiffSchema,
  PolicySchema,
  PolicyTestSchema,
  PolicyVersionListSchema,
  SetPolicySchema,
} from '@holdfast/protocol/api';
import type {
  ApprovalView,
  ExplainRequest,
  Explanation,
  PolicyDiff,
  PolicyTest,
  PolicyTestRequest,
  PolicyVersionView,
  PolicyView,
  SetPolicyRequest,
  SetPolicyView,
} from '@holdfast/protocol/api';
import type { z } from 'zod';

/** Who may do what: shown, set and tried; and what waits for a second person. */
export interface PolicyClient {
  /** The policy in force, or an earlier version. */
  policy(number?: number): Promise<PolicyView>;
  /** What a policy can speak of, as a schema in Cedar. */
  policySchema(): Promise<string>;
  /** Newest first. */
  policyVersions(page?: { limit?: number; before?: number }): Promise<PolicyVersionView[]>;
  setPolicy(request: SetPolicyRequest): Promise<SetPolicyView>;
  rollbackPolicy(number: number, reason: string): Promise<SetPolicyView>;
  /** Which of the last decisions a policy would make otherwise. */
  diffPolicy(text: string): Promise<PolicyDiff>;
  testPolicy(request: PolicyTestRequest): Promise<PolicyTest>;
  explainPolicy(request: ExplainRequest): Promise<Explanation>;
  /** Oldest first: the own requests, and those one may decide. */
  approvals(): Promise<ApprovalView[]>;
  approve(id: string): Promise<ApprovalView>;
  refuseApproval(id: string): Promise<void>;
}

/** How requests are made. */
export interface PolicyCalls {
  readonly read: <T>(schema: z.ZodType<T>, path: string) => Promise<T>;
  readonly readText: (path: string) => Promise<string>;
  readonly post: <T>(schema: z.ZodType<T>, path: string, body?: unknown) => Promise<T>;
  readonly send: (method: 'POST', path: string) => Promise<unknown>;
}

/** Makes this part of the client. */
export function policyClient({ read, readText, post, send }: PolicyCalls): PolicyClient {
  const versions = (page: Record<string, number> = {}): string => {
    const query = new URLSearchParams(Object.entries(page).map(([key, n]) => [key, `${n}`]));
    return `/v1/policy/versions${query.size === 0 ? '' : `?${query.toString()}`}`;
  };
  const approval = (id: string, verb: string): string =>
    `/v1/approvals/${encodeURIComponent(id)}/${verb}`;
  return {
    policy: (number) =>
      read(PolicySchema, number === undefined ? '/v1/policy' : `/v1/policy/versions/${number}`),
    policySchema: () => readText('/v1/policy/schema'),
    policyVersions: async (page) => (await read(PolicyVersionListSchema, versions(page))).versions,
    setPolicy: (request) => post(SetPolicySchema, '/v1/policy', request),
    rollbackPolicy: (number, reason) =>
      post(SetPolicySchema, '/v1/policy/rollback', { number, reason }),
    diffPolicy: (text) => post(PolicyDiffSchema, '/v1/policy/diff', { text }),
    testPolicy: (request) => post(PolicyTestSchema, '/v1/policy/test', request),
    explainPolicy: (request) => post(ExplanationSchema, '/v1/policy/explain', request),
    approvals: async () => (await read(ApprovalListSchema, '/v1/approvals')).approvals,
    approve: (id) => post(ApprovalViewSchema, approval(id, 'approve')),
    refuseApproval: async (id) => {
      await send('POST', approval(id, 'refuse'));
    },
  };
}
