/** The last decisions, in memory: what a new policy is tried on. @module */
import { RECENT_DECISIONS_MAX } from './limits.ts';
import type { Decision, DecisionRequest, Principal, Resource } from './subjects.ts';

/** A decision that was made, with what it was about. */
export interface RecentDecision {
  readonly request: DecisionRequest;
  readonly isPermitted: boolean;
  /** The last time; milliseconds since 1970. */
  readonly atMs: number;
  /** How often since it is remembered. */
  readonly count: number;
}

/** The last decisions that differ, of each outcome apart, so that many of one hide none of the other. */
export class RecentDecisions {
  readonly #permitted = new Map<string, RecentDecision>();
  readonly #refused = new Map<string, RecentDecision>();

  add(request: DecisionRequest, { isPermitted }: Decision, atMs: number): void {
    const kept = isPermitted ? this.#permitted : this.#refused;
    const key = keyOf(request);
    const count = (kept.get(key)?.count ?? 0) + 1;
    kept.delete(key);
    const [oldest] = kept.keys();
    if (oldest !== undefined && kept.size >= RECENT_DECISIONS_MAX) kept.delete(oldest);
    kept.set(key, { request, isPermitted, atMs, count });
  }

  /** All that are remembered, newest first. */
  all(): RecentDecision[] {
    return [...this.#permitted.values(), ...this.#refused.values()].sort((a, b) => b.atMs - a.atMs);
  }
}

/** A fleet does the same all the time: of what devices do, one of each kind of device is kept. */
function keyOf({ principal, action, resource }: DecisionRequest): string {
  if (principal.kind !== 'device' || resource.kind !== 'topic') {
    return `${principalText(principal)} ${action} ${resourceText(resource)}`;
  }
  const { class: className, state, group } = principal.device;
  const isOwn = resource.device?.id === principal.device.id;
  const about = isOwn ? resource.part : resourceText(resource);
  return JSON.stringify([className, state, group, action, about]);
}

/** Who, as people write it: `person:ada`, `app:<id>`, `device:pump-1`. */
export function principalText(principal: Principal): string {
  if (principal.kind === 'person') return principal.id;
  return principal.kind === 'app' ? `app:${principal.id}` : `device:${principal.device.id}`;
}

/** What, as people write it: `server`, `device:pump-1`, `topic:pump-1/telemetry`. */
export function resourceText(resource: Resource): string {
  switch (resource.kind) {
    case 'server':
      return 'server';
    case 'person':
      return resource.id;
    case 'app':
      return `app:${resource.id}`;
    case 'device':
      return `device:${resource.device.id}`;
    case 'topic':
      return `topic:${resource.device?.id ?? ''}/${resource.part}`;
  }
}
