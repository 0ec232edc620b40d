/** A policy that is not in force, tried: on the last decisions, and on expected ones. @module */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CompiledPolicy } from './compiled-policy.ts';
import { DECISIONS_PER_TURN } from './limits.ts';
import type { RecentDecision } from './recent-decisions.ts';
import type { Decision, DecisionRequest } from './subjects.ts';

/** A recent decision that another policy would make otherwise. */
export interface DecisionChange {
  readonly recent: RecentDecision;
  readonly before: Decision;
  readonly after: Decision;
}

/** Decides by a policy without putting it in force; others get their turn in between. */
export async function decideBy(
  text: string,
  requests: readonly DecisionRequest[],
): Promise<Decision[]> {
  const policy = new CompiledPolicy(text);
  try {
    const known = new Map<string, Decision>();
    const decisions: Decision[] = [];
    for (const each of requests) {
      const { key, request } = policy.canonicalize(each);
      const decision = known.get(key) ?? policy.decide(request);
      if (!known.has(key) && known.size % DECISIONS_PER_TURN === 0) await nextTurn();
      known.set(key, decision);
      decisions.push(decision);
    }
    return decisions;
  } finally {
    policy.close();
  }
}

/** Which of the recent decisions would be others. */
export async function changesBetween(
  { before, after }: { before: string; after: string },
  recent: readonly RecentDecision[],
): Promise<DecisionChange[]> {
  const requests = recent.map(({ request }) => request);
  const old = await decideBy(before, requests);
  const now = await decideBy(after, requests);
  const changes: DecisionChange[] = [];
  for (const [at, each] of recent.entries()) {
    const [was, becomes] = [old[at], now[at]];
    if (was === undefined || becomes === undefined) continue;
    if (was.isPermitted === becomes.isPermitted) continue;
    changes.push({ recent: each, before: was, after: becomes });
  }
  return changes;
}
