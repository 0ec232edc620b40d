/** What would come of an act on many devices, and the token that stands for exactly that. @module */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DeviceActsPlan, PASSED_OVER_LISTED_MAX } from '@holdfast/protocol/api';
import type { Device } from '../registry/index.ts';
import type { RequestAccess, Verdict } from './access.ts';
import type { ApiDeps } from './deps.ts';
import {
  ACTION_OF,
  type DeviceWish,
  type PassedOver,
  type PlannedChange,
  type WishedAct,
  planOf,
} from './device-acts.ts';
import { PLANNED_OF_STEP } from './limits.ts';

/** What was planned. */
export interface Plan {
  readonly planned: readonly PlannedChange[];
  readonly passedOver: readonly PassedOver[];
  /**
   * Stands for what would be done: the act, and each device with what it is before. Whoever gives
   * it back means exactly that; it is no secret and proves nothing else.
   */
  readonly token: string;
}

/** Plans an act on many, in slices between which messages go their way. */
export async function planMany(
  ids: readonly string[],
  wish: DeviceWish,
  deps: Pick<ApiDeps, 'registry'>,
): Promise<Plan> {
  const { act, group, tags } = wish;
  const hash = createHash('sha256');
  hash.update(JSON.stringify(['holdfast-device-acts/1', act, group ?? null, tags ?? null]));
  const planned: PlannedChange[] = [];
  const passedOver: PassedOver[] = [];
  for (let at = 0; at < ids.length; at += PLANNED_OF_STEP) {
    if (at > 0) await nextTurn();
    const some = planOf(ids.slice(at, at + PLANNED_OF_STEP), wish, deps);
    for (const change of some.planned) planned.push(change);
    for (const one of some.passedOver) passedOver.push(one);
    hash.update(some.planned.map(({ before }) => standing(before, act)).join(''));
  }
  return { planned, passedOver, token: hash.digest('hex') };
}

/** What counts of a device as it is before. */
function standing(device: Device, act: WishedAct): string {
  const { id, group, state, stateAtMs, tags = [] } = device;
  if (act === 'set-group') return `\n${id} ${group}`;
  if (act === 'add-tags' || act === 'remove-tags') return `\n${id} ${tags.join(' ')}`;
  return `\n${id} ${state} ${stateAtMs}`;
}

/** Tells it, counted in slices as well. */
export async function planView(
  plan: Plan,
  {
    wish,
    access,
    isOnline,
  }: {
    wish: Pick<DeviceWish, 'act' | 'group' | 'tags'>;
    access: RequestAccess;
    isOnline: (id: string) => boolean;
  },
): Promise<DeviceActsPlan> {
  const { planned, passedOver } = plan;
  const verdictOf = verdictsOf(wish.act, access);
  const counts: Record<Verdict, number> = {
    permitted: 0,
    forbidden: 0,
    'step-up': 0,
    'second-person': 0,
  };
  const forbiddenList: string[] = [];
  const changes = new Map<string, { from: string; to: string; devices: number }>();
  let online = 0;
  for (const [at, change] of planned.entries()) {
    if (at > 0 && at % PLANNED_OF_STEP === 0) await nextTurn();
    const verdict = verdictOf(change);
    counts[verdict] += 1;
    const { id } = change.before;
    if (verdict === 'forbidden' && forbiddenList.length < PASSED_OVER_LISTED_MAX) {
      forbiddenList.push(id);
    }
    if (isOnline(id)) online += 1;
    const [from, to] = fromTo(change, wish.act);
    const known = changes.get(`${from}\n${to}`);
    if (known === undefined) changes.set(`${from}\n${to}`, { from, to, devices: 1 });
    else known.devices += 1;
  }
  const asksSecondPerson = counts['second-person'] > 0;
  return {
    selected: planned.length + passedOver.length,
    changed: planned.length,
    changedList: planned.slice(0, PASSED_OVER_LISTED_MAX).map(({ before }) => before.id),
    changes: [...changes.values()].sort((a, b) => b.devices - a.devices),
    online,
    passedOver: passedOver.length,
    passedOverReasons: reasonsOf(passedOver),
    passedOverList: passedOver
      .slice(0, PASSED_OVER_LISTED_MAX)
      .map(({ id, refusal }) => ({ id, why: refusal.detail })),
    forbidden: counts.forbidden,
    forbiddenList,
    // To do something to many asks for it in any case, unless it was shown just now.
    needs: needsOf(access, { asksSecondPerson, asksStepUp: counts['step-up'] > 0 }),
    token: plan.token,
  };
}

/** The strictest verdict on what a device is and on what it would be. */
export function verdictsOf(
  act: WishedAct,
  access: RequestAccess,
): (change: PlannedChange) => Verdict {
  const verdictOf = access.verdicts(ACTION_OF[act]);
  return ({ before, after }) => {
    const [first, second] = [verdictOf(before), act === 'set-group' && verdictOf(after)];
    return STRICTEST.find((verdict) => verdict === first || verdict === second) ?? first;
  };
}

const STRICTEST: readonly Verdict[] = ['forbidden', 'step-up', 'second-person', 'permitted'];

function needsOf(
  access: RequestAccess,
  { asksSecondPerson, asksStepUp }: { asksSecondPerson: boolean; asksStepUp: boolean },
): DeviceActsPlan['needs'] {
  const many = access.verdict({ kind: 'server' }, 'device:act-many');
  if (asksSecondPerson || many === 'second-person') return 'second-person';
  return asksStepUp || many === 'step-up' ? 'step-up' : 'nothing';
}

function fromTo({ before, after }: PlannedChange, act: WishedAct): [string, string] {
  if (act === 'set-group') return [before.group, after.group];
  if (act === 'add-tags' || act === 'remove-tags') {
    return [(before.tags ?? []).join(' '), (after.tags ?? []).join(' ')];
  }
  return [before.state, after.state];
}

/** By what they have in common. */
function reasonsOf(passedOver: readonly PassedOver[]): DeviceActsPlan['passedOverReasons'] {
  const counts = new Map<string, number>();
  for (const { kind } of passedOver) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts]
    .map(([why, devices]) => ({ why, devices }))
    .sort((a, b) => b.devices - a.devices)
    .slice(0, PASSED_OVER_LISTED_MAX);
}
