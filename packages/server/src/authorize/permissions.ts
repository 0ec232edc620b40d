/**
 * What a principal may do on topics, as the policy in force says. For people and apps it is the
 * same as over the API: to read a device is to hear it, to command it is to publish on its `cmd`.
 * So each right stands in the policy once, and holds at every door.
 * @module
 */
import type {
  Authorizer,
  DeviceFacts,
  PolicyAction,
  Principal,
  Resource,
  TopicPart,
} from '../policy/index.ts';
import {
  type Device,
  type DeviceRegistry,
  type RoleName,
  appOfPrincipal,
} from '../registry/index.ts';
import type { AdmittedPeer } from '../session/index.ts';
import { scopeOfFilter, scopeOfTopic, topicsOf } from './topic-scope.ts';

/** What permissions are made of. */
export interface PermissionsDeps {
  readonly authorizer: Authorizer;
  readonly registry: Pick<DeviceRegistry, 'byId'>;
  /** The owner of an app, by the app's principal; undefined when there is no such app any more. */
  readonly ownerOfApp?: (principal: string) => string | undefined;
  /** Who has a device; undefined for nobody. */
  readonly ownerOf?: (deviceId: string) => string | undefined;
  /** The role that a person has now; undefined when there is no such person any more. */
  readonly roleOf: (principal: string) => RoleName | undefined;
}

/**
 * What the message path can carry for each kind of peer, whatever the policy says: a device speaks
 * for itself alone, and only the server signs commands.
 */
const PUBLISHABLE = {
  device: ['telemetry', 'state', 'ack'],
  person: ['cmd'],
  app: ['cmd'],
} as const satisfies Readonly<Record<Principal['kind'], readonly TopicPart[]>>;

/** What each kind of peer can be permitted to hear. Commands are between people and devices. */
const AUDIBLE: Readonly<Record<Principal['kind'], readonly TopicPart[]>> = {
  device: ['telemetry', 'state', 'ack', 'cmd', 'update', 'system'],
  person: ['telemetry', 'state', 'ack', 'cmd', 'update', 'system'],
  app: ['telemetry', 'state', 'ack'],
};

/** The permissions of all principals on topics. */
export class Permissions {
  readonly #deps: PermissionsDeps;

  constructor(deps: PermissionsDeps) {
    this.#deps = deps;
  }

  /** Changes with each policy. */
  get epoch(): number {
    return this.#deps.authorizer.epoch;
  }

  /** The record of a device: another one after each change. */
  recordOf(deviceId: string): Device | undefined {
    return this.#deps.registry.byId(deviceId);
  }

  /** Who a peer is to the policy; undefined when there is no such principal any more. */
  principalOf({
    kind,
    principal,
    scope,
  }: Pick<AdmittedPeer, 'kind' | 'principal' | 'scope'>): Principal | undefined {
    if (kind === 'device') {
      const device = this.#deps.registry.byId(principal);
      return device && { kind, device };
    }
    if (kind === 'app') {
      const owner = this.#deps.ownerOfApp?.(principal);
      return owner === undefined ? undefined : { kind, id: appOfPrincipal(principal) ?? '', owner };
    }
    const role = this.#deps.roleOf(principal);
    return role && { kind: 'person', id: principal, role, scope };
  }

  /** Whether it may publish on a topic. */
  mayPublish(principal: Principal, topic: string): boolean {
    const scope = scopeOfTopic(topic);
    if (scope === undefined) return false;
    const { part, deviceId } = scope;
    const publishable: readonly TopicPart[] = PUBLISHABLE[principal.kind];
    if (!publishable.includes(part)) return false;
    if (principal.kind === 'device') {
      return (
        deviceId === principal.device.id && this.#may(principal, 'publish', principal.device, part)
      );
    }
    const device = this.#seenBy(principal, deviceId);
    // The same work for one that does not exist: nobody learns by the time which ones do.
    const isPermitted = this.#may(
      principal,
      'publish',
      device ?? phantomFor(principal, deviceId),
      part,
    );
    return device !== undefined && isPermitted;
  }

  /** Whether it may subscribe to a filter, without `$share/<name>/`. */
  maySubscribe(principal: Principal, filter: string): boolean {
    const scope = scopeOfFilter(filter);
    if (scope === undefined) return false;
    const { parts, deviceId } = scope;
    if (!parts.every((part) => AUDIBLE[principal.kind].includes(part))) return false;
    if (deviceId === '') return this.#may(principal, 'subscribe', undefined, 'system');
    // Every device is always one too many for an app: there are those of other owners.
    if (deviceId === undefined && principal.kind === 'app') return false;
    if (deviceId === undefined) {
      return parts.every((part) => this.#mayHearEvery(principal, part));
    }
    const seen = this.#seenBy(principal, deviceId);
    const device = seen ?? phantomFor(principal, deviceId);
    const isPermitted = parts.every((part) => this.#may(principal, 'subscribe', device, part));
    return isPermitted && (seen !== undefined || principal.kind !== 'app');
  }

  /** The filters that it may use for itself, for the text of a refusal. */
  describe(principal: Principal, verb: 'publish' | 'subscribe'): string {
    if (principal.kind !== 'device') return verb === 'publish' ? 'd/<device>/cmd/<name>' : 'd/#';
    const { device } = principal;
    const parts = verb === 'publish' ? PUBLISHABLE.device : AUDIBLE.device;
    const filters = parts
      .filter((part) => this.#may(principal, verb, part === 'system' ? undefined : device, part))
      .map((part) => topicsOf(part, device.id));
    return filters.length === 0 ? 'nothing' : filters.join(', ');
  }

  /** To an app, a device of another owner is one that does not exist, whatever the policy says. */
  #seenBy(principal: Principal, deviceId: string): Device | undefined {
    const { registry, ownerOf } = this.#deps;
    const isForeign = principal.kind === 'app' && ownerOf?.(deviceId) !== principal.owner;
    return isForeign ? undefined : registry.byId(deviceId);
  }

  #mayHearEvery(principal: Principal, part: TopicPart): boolean {
    const { action } = question(principal, 'subscribe', phantom(''), part);
    const resourceOf = (device: DeviceFacts): Resource =>
      question(principal, 'subscribe', device, part).resource;
    return this.#deps.authorizer.isPermittedForEvery({ principal, action, resourceOf });
  }

  #may(
    principal: Principal,
    verb: 'publish' | 'subscribe',
    device: DeviceFacts | undefined,
    part: TopicPart,
  ): boolean {
    const request = question(principal, verb, device, part);
    return this.#deps.authorizer.decide({ principal, ...request }).isPermitted;
  }
}

/** How a wish on a topic is put to the policy. */
function question(
  principal: Principal,
  verb: 'publish' | 'subscribe',
  device: DeviceFacts | undefined,
  part: TopicPart,
): { action: PolicyAction; resource: Resource } {
  if (principal.kind === 'device')
    return { action: verb, resource: { kind: 'topic', part, device } };
  if (device === undefined) return { action: 'server:read', resource: { kind: 'server' } };
  const action = verb === 'publish' ? 'device:command' : 'device:read';
  return { action, resource: { kind: 'device', device } };
}

/** Nothing is known of it to an app, not even by its name, under which it may have an owner. */
function phantomFor({ kind }: Principal, deviceId: string): DeviceFacts {
  return phantom(kind === 'app' ? '' : deviceId);
}

/** What stands for a device that does not exist. */
function phantom(id: string): DeviceFacts {
  return { id, class: 'sensor', state: 'registered', group: '' };
}
