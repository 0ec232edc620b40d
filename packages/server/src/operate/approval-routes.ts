/** Requests that wait for a second person. @module */
import { refuse } from '@holdfast/protocol';
import { ApprovalListSchema, ApprovalPathSchema, ApprovalViewSchema } from '@holdfast/protocol/api';
import type { Context } from 'hono';
import type { Approval } from './approvals.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { approvalView } from './policy-views.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json } from './routes.ts';

const params = ApprovalPathSchema;
const readsOwn = { action: 'approval:read', on: 'self' } as const;
const decidesOwn = { action: 'approval:decide', on: 'self' } as const;

export function addApprovalRoutes(routes: Routes, deps: ApiDeps): void {
  const { guard } = routes;
  /** Whether the caller has the right to do it itself, apart from its own second person. */
  const mayDecide = (c: Context<ApiEnv>, { principal, action, resources }: Approval): boolean => {
    if (principal === c.get('caller').principal) return false;
    const access = c.get('access');
    return resources.every((resource) => access.verdict(resource, action) !== 'forbidden');
  };
  /** An approval that the caller may decide; any other one is not there. */
  const decidable = (c: Context<ApiEnv>, id: string): Approval => {
    const approval = guard.approvals.byId(id);
    const none = refuse('E_OPERATE_NOT_FOUND', `There is no approval ${id}.`);
    const found = approval !== undefined && mayDecide(c, approval) ? approval : none;
    const { action, resources } = accepted(found);
    const access = c.get('access');
    // A stolen token must not be the second person of whoever stole it.
    const isPerson = c.get('caller').credential !== 'token';
    const isFresh = resources.every((resource) => access.verdict(resource, action) !== 'step-up');
    if (isPerson && isFresh) return accepted(found);
    throw new RefusedRequest(refuse('E_OPERATE_STEP_UP', 'To approve asks for it, too.'));
  };

  routes.add(
    readsOwn,
    {
      method: 'get',
      path: '/v1/approvals',
      summary: 'Lists what waits for a second person: the own requests, and those one may decide.',
      responses: { 200: json(ApprovalListSchema, 'Oldest first; at most 200.') },
    },
    (c) => {
      const { principal } = c.get('caller');
      const visible = guard.approvals
        .all()
        .filter((approval) => approval.principal === principal || mayDecide(c, approval));
      return c.json({ approvals: visible.map(approvalView) }, 200);
    },
  );

  routes.add(
    decidesOwn,
    {
      method: 'post',
      path: '/v1/approvals/{id}/approve',
      summary: 'Approves a request of another person, who makes it again then.',
      request: { params },
      responses: { 200: json(ApprovalViewSchema, 'The approval.') },
    },
    async (c) => {
      const approval = decidable(c, c.req.valid('param').id);
      await recordDecision(c, approval, 'approval.approve');
      const approved = accepted(guard.approvals.approve(approval, c.get('caller').principal));
      return c.json(approvalView(approved), 200);
    },
  );

  routes.add(
    decidesOwn,
    {
      method: 'post',
      path: '/v1/approvals/{id}/refuse',
      summary: 'Refuses a request of another person.',
      request: { params },
      responses: { 204: { description: 'Refused.' } },
    },
    async (c) => {
      const approval = decidable(c, c.req.valid('param').id);
      guard.approvals.end(approval);
      await recordDecision(c, approval, 'approval.refuse');
      return c.body(null, 204);
    },
  );

  const recordDecision = (
    c: Context<ApiEnv>,
    { id, principal, action, method, path }: Approval,
    act: 'approval.approve' | 'approval.refuse',
  ): Promise<void> => {
    const facts = { asked: principal, action, request: `${method} ${path}` };
    const by = c.get('caller').principal;
    return recordFirst(deps, { action: act, principal: by, target: id, facts });
  };
}
