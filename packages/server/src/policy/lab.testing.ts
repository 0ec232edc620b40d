/** Policies and principals, for the tests of the flow. @module */
import type { Clock } from '../kernel/index.ts';
import type { SealedStore } from '../persistence/index.ts';
import type { RoleName } from '../registry/index.ts';
import { Policies } from './policies.ts';
import type { DeviceFacts, Principal, Resource } from './subjects.ts';

/** The policy that comes with Holdfast, or the one that the store has, in force. */
export function openPolicies(
  store: SealedStore,
  clock: Clock,
  ownerOf: (deviceId: string) => string | undefined = () => undefined,
): Policies {
  const policies = new Policies(store, { clock, ownerOf });
  const { shipped } = policies.start();
  if (shipped !== undefined) policies.keep(shipped);
  return policies;
}

/** A device as a policy sees it; an active sensor without a group, unless told otherwise. */
export function factsOf(id: string, facts: Partial<DeviceFacts> = {}): DeviceFacts {
  return { id, class: 'sensor', state: 'active', group: '', ...facts };
}

/** A person with a role. */
export function personOf(role: RoleName, name = 'ada'): Principal {
  return { kind: 'person', id: `person:${name}`, role };
}

/** A device as the thing that is asked for. */
export function deviceResource(id: string, facts: Partial<DeviceFacts> = {}): Resource {
  return { kind: 'device', device: factsOf(id, facts) };
}
