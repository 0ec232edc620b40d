/** Which devices no rule can tell apart, whoever asks for them: many are decided at once by that. @module */
import { DEVICE_CLASS_NAMES, DEVICE_STATES } from '../registry/index.ts';
import type { NamedType } from './canonical.ts';
import type { DeviceFacts } from './subjects.ts';

/** Devices of one kind get the same decision: see `canonical.ts`. */
export type DeviceKind = number | string;

/** What the kinds are made by. */
export interface DeviceKindsDeps {
  /** The names that rules mention. */
  readonly mentioned: (type: NamedType) => readonly string[];
  readonly ownerOf: (deviceId: string) => string | undefined;
}

const STATES = indexOf(DEVICE_STATES);
const CLASSES = indexOf(DEVICE_CLASS_NAMES);
const BOOTS: Readonly<Record<string, number>> = { proven: 1, unproven: 2 };

/** Gives what tells the kind of a device, as long as the policy and the owners are what they are. */
export function deviceKinds({
  mentioned,
  ownerOf,
}: DeviceKindsDeps): (device: DeviceFacts) => DeviceKind {
  const ids = new Set(mentioned('Device'));
  const groups = new Set(mentioned('Group'));
  const owners = new Set(mentioned('Owner'));
  return (device) => {
    const { id, class: className, state, group, boot } = device;
    const owner = device.owner ?? ownerOf(id);
    const attributes =
      (((STATES[state] ?? 0) * 8 + (CLASSES[className] ?? 0)) * 3 + (BOOTS[boot ?? ''] ?? 0)) * 2 +
      (owner === undefined ? 0 : 1);
    const isNamed = ids.size > 0 && ids.has(id);
    const isGroupNamed = groups.size > 0 && groups.has(group);
    const isOwnerNamed = owners.size > 0 && owner !== undefined && owners.has(owner);
    if (!isNamed && !isGroupNamed && !isOwnerNamed) return attributes;
    const names = [isNamed && id, isGroupNamed && group, isOwnerNamed && owner];
    return JSON.stringify([attributes, names]);
  };
}

function indexOf(names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name, at) => [name, at]));
}
