/** Every kind of device that there can be, as far as a policy can tell devices apart. @module */
import { BOOT_PROOFS, DEVICE_CLASS_NAMES, DEVICE_STATES } from '../registry/index.ts';
import type { PolicyMentions } from './policy-mentions.ts';
import type { DeviceFacts, Principal } from './subjects.ts';

/** A name that no device, group or owner has. */
const ANY_OTHER = '\u0000other';
/** What stands for a name of whoever asks. */
const OWN = '\u0000own';

/**
 * The devices that a rule could decide differently when this principal asks: with every class,
 * state, group and owner that the policy looks at. So a wildcard is decided for devices that do
 * not exist yet, too, and a new device changes nothing.
 */
export function possibleDevices(policy: PolicyMentions, principal: Principal): DeviceFacts[] {
  const self = principal.kind === 'device' ? principal.device : undefined;
  const ownOwner = principal.kind === 'app' ? principal.owner : self?.owner;
  const { ids, classes, states, groups, owners, boots } = partsOf(policy, {
    group: principal.kind === 'person' ? principal.scope?.group : self?.group,
    owner: ownOwner,
  });
  const found: DeviceFacts[] = [];
  for (const id of ids) {
    for (const className of classes) {
      for (const state of states) {
        for (const group of groups) {
          for (const owner of owners) {
            const device = { id, class: className, state, group, owner };
            for (const boot of boots)
              found.push({ ...device, ...(boot !== undefined && { boot }) });
          }
        }
      }
    }
  }
  return self === undefined ? found : [...found, self];
}

/** How many kinds of devices a policy tells apart at most, whoever asks. */
export function countPossibleDevices(policy: PolicyMentions): number {
  // Whoever asks may have a group and an owner that no rule names.
  const parts = Object.values(partsOf(policy, { group: OWN, owner: OWN }));
  return parts.reduce((product, { length }) => product * length, 1);
}

/** The values that a policy can tell apart, of each thing that it looks at. */
function partsOf(
  policy: PolicyMentions,
  own: { readonly group?: string | undefined; readonly owner?: string | undefined },
) {
  const looksAtClass = policy.mentioned('DeviceClass').length > 0 || policy.looksAt('class');
  return {
    ids: withOthers(policy.mentioned('Device')),
    classes: looksAtClass ? DEVICE_CLASS_NAMES : DEVICE_CLASS_NAMES.slice(0, 1),
    states: policy.looksAt('state') ? DEVICE_STATES : DEVICE_STATES.slice(0, 1),
    groups: withOthers([...policy.mentioned('Group'), own.group]),
    owners: policy.looksAt('owner')
      ? [undefined, ...withOthers([...policy.mentioned('Owner'), own.owner])]
      : [undefined],
    boots: policy.looksAt('boot') ? [undefined, ...BOOT_PROOFS] : [undefined],
  };
}

function withOthers(names: readonly (string | undefined)[]): string[] {
  const known = names.filter((name) => name !== undefined);
  return [...new Set([ANY_OTHER, ...known])];
}
