/** Acts on devices, one or many: done and recorded in the order that the rule of acts asks for. @module */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Refusal, refuse } from '@holdfast/protocol';
import { type BulkAct, DEVICE_TAGS_MAX } from '@holdfast/protocol/api';
import type { Act } from '../audit/index.ts';
import type { ActionOn } from '../policy/index.ts';
import { type Device, LIFE_CYCLE, whyNot } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { DEVICE_ACTS_BATCH } from './limits.ts';
import { requireReady } from './record-first.ts';

/** What can be done to one device, or to many. */
export type WishedAct = BulkAct | 'set-tags';
type StateAct = Exclude<WishedAct, 'set-group' | TagAct>;
type TagAct = 'set-tags' | 'add-tags' | 'remove-tags';

/** What the policy is asked for each act. */
export const ACTION_OF: Readonly<Record<WishedAct, ActionOn<'device'>>> = {
  quarantine: 'device:quarantine',
  release: 'device:release',
  suspend: 'device:suspend',
  resume: 'device:suspend',
  revoke: 'device:revoke',
  retire: 'device:retire',
  'set-group': 'device:group',
  'set-tags': 'device:tag',
  'add-tags': 'device:tag',
  'remove-tags': 'device:tag',
};

/** What somebody wants to do to devices. */
export interface DeviceWish {
  readonly act: WishedAct;
  /** Of `set-group`: where to; empty for none. */
  readonly group?: string | undefined;
  /** Of the acts on tags. */
  readonly tags?: readonly string[] | undefined;
  readonly reason: string;
  readonly principal: string;
}

/** A device that was left as it was. */
export interface PassedOver {
  readonly id: string;
  readonly refusal: Refusal;
  /** Why, in words that it shares with all others of its kind. */
  readonly kind: string;
  /** It is already what it is to be. */
  readonly isDone: boolean;
}

/** A device as it is, and as it would be. */
export interface PlannedChange {
  readonly before: Device;
  readonly after: Device;
}

/** What became of a wish. */
export interface WishOutcome {
  readonly changed: number;
  readonly passedOver: readonly PassedOver[];
}

type ActDeps = Pick<ApiDeps, 'registry' | 'recordAct' | 'isReady'>;

/** What would become of some devices now, without doing it. */
export function planOf(
  ids: readonly string[],
  wish: DeviceWish,
  { registry }: Pick<ApiDeps, 'registry'>,
): { planned: readonly PlannedChange[]; passedOver: readonly PassedOver[] } {
  const { act, principal: by, reason } = wish;
  if (isStateAct(act)) {
    const { done, refused } = registry.judgeStates(ids, { act, by, reason });
    const passedOver = refused.map(({ id, refusal }) => {
      const device = registry.byId(id);
      const kind = device === undefined ? refusal.detail : whyNot(device.state, act);
      return { id, refusal, kind, isDone: false };
    });
    return { planned: done, passedOver };
  }
  const planned: PlannedChange[] = [];
  const passedOver: PassedOver[] = [];
  for (const id of new Set(ids)) {
    const before = registry.byId(id);
    const after = before && withWish(before, wish);
    if (before === undefined || after === undefined) continue;
    if ('kind' in after) passedOver.push(after);
    else planned.push({ before, after });
  }
  return { planned, passedOver };
}

/** The device with its group or its tags as they are wished, or why not. */
function withWish(device: Device, { act, group = '', tags = [] }: DeviceWish): Device | PassedOver {
  const { id } = device;
  if (act === 'set-group') {
    if (device.group !== group) return { ...device, group };
    return passed(id, group === '' ? 'is in no group already' : 'is in this group already', true);
  }
  const after = tagsAfter(device, { act, tags });
  const before = device.tags ?? [];
  if (after.length > DEVICE_TAGS_MAX) {
    return passed(id, `would have more than ${DEVICE_TAGS_MAX} tags`, false);
  }
  const isSame = after.length === before.length && after.every((tag) => before.includes(tag));
  return isSame ? passed(id, 'has its tags like this already', true) : { ...device, tags: after };
}

function passed(id: string, what: string, isDone: boolean): PassedOver {
  const refusal = refuse('E_OPERATE_CONFLICT', `${id} ${what}.`);
  return { id, refusal, kind: `It ${what}.`, isDone };
}

function tagsAfter(device: Device, { act, tags = [] }: Pick<DeviceWish, 'act' | 'tags'>): string[] {
  const before = device.tags ?? [];
  if (act === 'remove-tags') return before.filter((tag) => !tags.includes(tag));
  return [...new Set(act === 'add-tags' ? [...before, ...tags] : tags)].sort();
}

/** Whether an act takes something away: then it is done first, and recorded when it is done. */
export function isTakingAway(act: WishedAct): boolean {
  return isStateAct(act) && LIFE_CYCLE[act].takesAway === true;
}

function isStateAct(act: WishedAct): act is StateAct {
  return act in LIFE_CYCLE;
}

/** Does it to each device for which it is possible, and records each one. */
export function carryOut(
  ids: readonly string[],
  wish: DeviceWish,
  deps: ActDeps,
): Promise<WishOutcome> {
  return isTakingAway(wish.act) ? takeAway(ids, wish, deps) : give(ids, wish, deps);
}

/** All of it is done first: a log that cannot be written must not keep the later devices in. */
async function takeAway(
  ids: readonly string[],
  wish: DeviceWish,
  { registry, recordAct }: ActDeps,
): Promise<WishOutcome> {
  const passedOver: PassedOver[] = [];
  const records: Promise<void>[] = [];
  const failures: unknown[] = [];
  const record = (change: PlannedChange): void => {
    const recorded = recordAct(actOn(change, wish));
    recorded.catch((error: unknown) => failures.push(error));
    records.push(recorded);
  };
  for (const some of batches(ids)) {
    if (records.length > 0) await nextTurn();
    const devices = some.flatMap((id) => registry.byId(id) ?? []);
    try {
      passedOver.push(...change(some, wish, registry));
    } catch (error) {
      failures.push(error);
    }
    for (const before of devices) {
      const after = registry.byId(before.id) ?? before;
      // Recorded even when the registry's disk fails: the connections are closed by then.
      if (after !== before) record({ before, after });
    }
  }
  await Promise.allSettled(records);
  if (failures.length > 0) throw failures[0];
  return { changed: records.length, passedOver };
}

async function give(ids: readonly string[], wish: DeviceWish, deps: ActDeps): Promise<WishOutcome> {
  const { registry, recordAct } = deps;
  const passedOver: PassedOver[] = [];
  let changed = 0;
  for (const some of batches(ids)) {
    const plan = planOf(some, wish, deps);
    requireReady(deps);
    await Promise.all(plan.planned.map((planned) => recordAct(actOn(planned, wish))));
    // A state that came in the meantime is not the one that was asked to be lifted.
    const [still, moved] = partition(plan.planned, ({ before }) =>
      isAsBefore(before, registry.byId(before.id)),
    );
    const refused = change(
      still.map(({ before }) => before.id),
      wish,
      registry,
    );
    passedOver.push(...plan.passedOver, ...moved.map(({ before }) => movedOn(before)), ...refused);
    changed += still.length - refused.length;
  }
  return { changed, passedOver };
}

function change(
  ids: readonly string[],
  wish: DeviceWish,
  registry: ApiDeps['registry'],
): readonly PassedOver[] {
  const { act, group = '', principal: by, reason } = wish;
  if (isStateAct(act)) {
    const { refused } = registry.changeStates(ids, { act, by, reason });
    return refused.map(({ id, refusal }) => {
      return { id, refusal, kind: refusal.detail, isDone: false };
    });
  }
  if (act === 'set-group') registry.setGroup(ids, group);
  else registry.setTags(ids, (device) => tagsAfter(device, wish));
  return [];
}

function actOn({ before, after }: PlannedChange, { act, principal, reason }: DeviceWish): Act {
  return {
    action: `device.${act}`,
    principal,
    target: before.id,
    reason,
    facts: factsOf({ before, after }, act),
  };
}

function factsOf({ before, after }: PlannedChange, act: WishedAct): Act['facts'] {
  const { state, group } = after;
  if (act === 'set-group') return { groupBefore: before.group, group, state };
  if (isStateAct(act)) return { stateBefore: before.state, stateAfter: state, group };
  return { tagsBefore: before.tags ?? [], tags: after.tags ?? [], state };
}

function isAsBefore(before: Device, now: Device | undefined): boolean {
  return now?.state === before.state && now.stateAtMs === before.stateAtMs;
}

function movedOn({ id }: Device): PassedOver {
  return passed(id, 'has changed meanwhile; ask again', false);
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const [yes, no]: [T[], T[]] = [[], []];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}

function* batches(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += DEVICE_ACTS_BATCH) {
    yield ids.slice(at, at + DEVICE_ACTS_BATCH);
  }
}
