/** Acts on devices, one or many: done and recorded in the order that the rule of acts asks for. @module */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { DeviceAct } from '@holdfast/protocol/api';
import type { Act } from '../audit/index.ts';
import type { ActionOn } from '../policy/index.ts';
import { type Device, LIFE_CYCLE } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { DEVICE_ACTS_BATCH } from './limits.ts';
import { requireReady } from './record-first.ts';

/** What the policy is asked for each act. */
export const ACTION_OF: Readonly<Record<DeviceAct | 'set-group', ActionOn<'device'>>> = {
  quarantine: 'device:quarantine',
  release: 'device:release',
  suspend: 'device:suspend',
  resume: 'device:suspend',
  revoke: 'device:revoke',
  retire: 'device:retire',
  'set-group': 'device:group',
};

/** What somebody wants to do to devices. */
export interface DeviceWish {
  readonly act: DeviceAct | 'set-group';
  /** Of `set-group`: where to; empty for none. */
  readonly group?: string | undefined;
  readonly reason: string;
  readonly principal: string;
}

/** A device that was left as it was. */
export interface PassedOver {
  readonly id: string;
  readonly refusal: Refusal;
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
  { act, group = '', principal: by, reason }: DeviceWish,
  { registry }: Pick<ApiDeps, 'registry'>,
): { planned: readonly PlannedChange[]; passedOver: readonly PassedOver[] } {
  if (act !== 'set-group') {
    const { done, refused } = registry.judgeStates(ids, { act, by, reason });
    return { planned: done, passedOver: refused };
  }
  const devices = ids.flatMap((id) => registry.byId(id) ?? []);
  const planned = devices.map((before) => ({ before, after: { ...before, group } }));
  return { planned, passedOver: [] };
}

/** Does it to each device for which it is possible, and records each one. */
export function carryOut(
  ids: readonly string[],
  wish: DeviceWish,
  deps: ActDeps,
): Promise<WishOutcome> {
  const isTaking = wish.act !== 'set-group' && LIFE_CYCLE[wish.act].takesAway === true;
  return isTaking ? takeAway(ids, wish, deps) : give(ids, wish, deps);
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
  { act, group = '', principal: by, reason }: DeviceWish,
  registry: ApiDeps['registry'],
): readonly PassedOver[] {
  if (act !== 'set-group') return registry.changeStates(ids, { act, by, reason }).refused;
  registry.setGroup(ids, group);
  return [];
}

function actOn({ before, after }: PlannedChange, { act, principal, reason }: DeviceWish): Act {
  const facts =
    act === 'set-group'
      ? { groupBefore: before.group, group: after.group, state: after.state }
      : { stateBefore: before.state, stateAfter: after.state, group: after.group };
  return { action: `device.${act}`, principal, target: before.id, reason, facts };
}

function isAsBefore(before: Device, now: Device | undefined): boolean {
  return now?.state === before.state && now.stateAtMs === before.stateAtMs;
}

function movedOn({ id }: Device): PassedOver {
  return { id, refusal: refuse('E_OPERATE_CONFLICT', `${id} has changed meanwhile; ask again.`) };
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
