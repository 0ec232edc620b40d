/** Every kind of device that there can be, as far as a policy can tell devices apart. @module */
import { DEVICE_CLASS_NAMES, DEVICE_STATES } from '../registry/index.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { DeviceFacts, Principal } from './subjects.ts';

/** A name that no device, group or owner has. */
const ANY_OTHER = '\u0000other';

/**
 * The devices that a rule could decide differently when this principal asks: with every class,
 * state, group and owner that the policy looks at. So a wildcard is decided for devices that do
 * not exist yet, too, and a new device changes nothing.
 */
export function possibleDevices(policy: CompiledPolicy, principal: Principal): DeviceFacts[] {
  const self = principal.kind === 'device' ? principal.device : undefined;
  const ownOwner = principal.kind === 'app' ? principal.owner : self?.owner;
  const looksAtClass = policy.mentioned('DeviceClass').length > 0 || policy.looksAt('class');
  const classes = looksAtClass ? DEVICE_CLASS_NAMES : DEVICE_CLASS_NAMES.slice(0, 1);
  const states = policy.looksAt('state') ? DEVICE_STATES : DEVICE_STATES.slice(0, 1);
  const groups = withOthers([...policy.mentioned('Group'), self?.group]);
  const owners = policy.looksAt('owner')
    ? [undefined, ...withOthers([...policy.mentioned('Owner'), ownOwner])]
    : [undefined];
  const found: DeviceFacts[] = [];
  for (const id of withOthers([...policy.mentioned('Device')])) {
    for (const className of classes) {
      for (const state of states) {
        for (const group of groups) {
          for (const owner of owners) found.push({ id, class: className, state, group, owner });
        }
      }
    }
  }
  return self === undefined ? found : [...found, self];
}

function withOthers(names: readonly (string | undefined)[]): string[] {
  const known = names.filter((name) => name !== undefined);
  return [...new Set([ANY_OTHER, ...known])];
}
