/** Who would get a release, and who would not, without doing anything. @module */
import type { Release } from '@holdfast/firmware';
import { type ExclusionCode, PLANNED_LISTED_MAX } from '@holdfast/protocol/api';
import type { RolloutForecast, RolloutPlan } from '@holdfast/protocol/api';
import type { Member } from './events.ts';
import { type Exclusion, type Fleet, type FleetDevice, exclusionOf } from './fleet.ts';
import { placeOf } from './place.ts';
import { reachOf } from './stages.ts';

/** The devices that a rollout is for, and those that it passes over. */
export interface Audience {
  readonly members: readonly Member[];
  readonly excluded: readonly { readonly device: string; readonly exclusion: Exclusion }[];
}

/** What decides on the devices of a rollout. */
export interface AudienceDeps {
  readonly fleet: Pick<Fleet, 'devices'>;
  readonly release: Release;
  readonly plan: Pick<RolloutPlan, 'groups' | 'stages'>;
  /** Whether the person who starts it may decide about this device, and may see it. */
  readonly right: (device: FleetDevice) => 'update' | 'read' | 'none';
  /** Why a device is bound to another rollout. */
  readonly bound: (device: string) => string | undefined;
}

/** Goes through the whole fleet. Devices that the person may not see are not there. */
export function audienceOf({ fleet, release, plan, right, bound }: AudienceDeps): Audience {
  const members: Member[] = [];
  const excluded: { device: string; exclusion: Exclusion }[] = [];
  const { groups } = plan;
  for (const device of fleet.devices()) {
    if (groups !== undefined && !groups.includes(device.group)) continue;
    const may = right(device);
    if (may === 'none') continue;
    const exclusion = exclusionOf(device, release) ?? foreign(device.id, may, bound);
    if (exclusion === undefined) members.push({ device: device.id, group: device.group });
    else excluded.push({ device: device.id, exclusion });
  }
  return { members, excluded };
}

/** What the dry run shows. */
export function forecastOf(
  { members, excluded }: Audience,
  {
    id,
    release,
    plan,
    fleet,
  }: { id: string; release: string; plan: RolloutPlan; fleet: Pick<Fleet, 'hasOwner'> },
): RolloutForecast {
  const asked = plan.needsConsent
    ? members.filter(({ device }) => fleet.hasOwner(device)).length
    : 0;
  const stages = stagesOf(id, members, plan).map((devices) => ({
    devices: devices.length,
    listed: devices.slice(0, PLANNED_LISTED_MAX),
  }));
  return { release, devices: members.length, asked, stages, excluded: byCode(excluded) };
}

/** Which devices each stage would reach. */
function stagesOf(
  id: string,
  members: readonly Member[],
  { stages }: Pick<RolloutPlan, 'stages'>,
): string[][] {
  let left = members
    .map((member) => ({ ...member, place: placeOf(id, member.device) }))
    .sort((a, b) => a.place - b.place);
  let count = 0;
  return stages.map((stage) => {
    const { select } = stage;
    const reach = reachOf(stage, members.length) ?? 0;
    const isReached = ({ device, group }: Member): boolean => {
      if ('group' in select) return group === select.group;
      if ('devices' in select) return select.devices.includes(device);
      return count < reach;
    };
    const reached: string[] = [];
    left = left.filter((member) => {
      if (!isReached(member)) return true;
      reached.push(member.device);
      count += 1;
      return false;
    });
    return reached;
  });
}

function foreign(
  id: string,
  may: 'update' | 'read',
  bound: AudienceDeps['bound'],
): Exclusion | undefined {
  if (may === 'read') {
    return { code: 'forbidden', why: `whoever starts it has no right to update ${id}` };
  }
  const why = bound(id);
  return why === undefined ? undefined : { code: 'other-rollout', why };
}

function byCode(excluded: Audience['excluded']): RolloutForecast['excluded'] {
  const groups = new Map<ExclusionCode, { device: string; why: string }[]>();
  for (const { device, exclusion } of excluded) {
    const { code, why } = exclusion;
    const group = groups.get(code) ?? [];
    group.push({ device, why });
    groups.set(code, group);
  }
  return [...groups].map(([code, listed]) => ({
    code,
    devices: listed.length,
    listed: listed.slice(0, PLANNED_LISTED_MAX),
  }));
}
