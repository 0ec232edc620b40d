/** What the API shows of the policy. @module */
import type {
  ApprovalView,
  DecisionChangeView,
  PolicyVersionView,
  PolicyView,
} from '@holdfast/protocol/api';
import {
  type Decision,
  type DecisionChange,
  type PolicyVersion,
  principalText,
  resourceText,
} from '../policy/index.ts';
import type { Approval } from './approvals.ts';
import { isoTime } from './views.ts';

export function versionView({
  number,
  sha256,
  author,
  reason,
  atMs,
}: PolicyVersion): PolicyVersionView {
  return { number, sha256, author, reason, at: isoTime(atMs) };
}

export function policyView(version: PolicyVersion): PolicyView {
  return { version: versionView(version), text: version.text };
}

export function decisionWord({ isPermitted }: Pick<Decision, 'isPermitted'>): 'permit' | 'refuse' {
  return isPermitted ? 'permit' : 'refuse';
}

export function changeView({ recent, before, after }: DecisionChange): DecisionChangeView {
  const { request, count, atMs } = recent;
  return {
    principal: principalText(request.principal),
    action: request.action,
    resource: resourceText(request.resource),
    becomes: decisionWord(after),
    rulesBefore: [...before.rules],
    rulesAfter: [...after.rules],
    count,
    lastAt: isoTime(atMs),
  };
}

export function approvalView(approval: Approval): ApprovalView {
  const { id, principal, action, resources, method, path, shownBody, approvedBy } = approval;
  const [first] = resources;
  return {
    id,
    principal,
    action,
    resource:
      resources.length === 1 && first !== undefined
        ? resourceText(first)
        : `${resources.length} devices`,
    request: `${method} ${path}`,
    body: shownBody,
    askedAt: isoTime(approval.askedAtMs),
    expiresAt: isoTime(approval.expiresAtMs),
    ...(approvedBy === undefined ? {} : { approvedBy }),
  };
}
