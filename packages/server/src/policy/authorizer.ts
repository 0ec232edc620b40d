/** Decides by the policy that is in force, and remembers what it decided until that changes. @module */
import type { Clock } from '../kernel/index.ts';
import type { TokenScope } from '../registry/index.ts';
import { CompiledPolicy } from './compiled-policy.ts';
import { type DeviceKind, deviceKinds } from './device-kinds.ts';
import { DECISIONS_REMEMBERED_MAX } from './limits.ts';
import type { PolicyRule } from './policy-text.ts';
import { possibleDevices } from './possible-devices.ts';
import { type RecentDecision, RecentDecisions } from './recent-decisions.ts';
import type {
  Decision,
  DecisionContext,
  DecisionRequest,
  DeviceFacts,
  PolicyAction,
  Principal,
  Resource,
} from './subjects.ts';
import { isInScope } from './token-scope.ts';

/** What the authorizer needs. */
export interface AuthorizerDeps {
  readonly clock: Clock;
  /** Who has a device; undefined for nobody. */
  readonly ownerOf?: (deviceId: string) => string | undefined;
}

/** A question about many devices at once. */
export interface WildcardRequest {
  readonly principal: Principal;
  readonly action: PolicyAction;
  readonly resourceOf: (device: DeviceFacts) => Resource;
  readonly context?: DecisionContext | undefined;
}

/**
 * The policy in force. Until one is, nothing is permitted. A decision that is remembered costs
 * some microseconds; attributes are part of what it is remembered under, so a device that changes
 * its state or group is decided anew by itself.
 */
export class Authorizer {
  readonly #deps: AuthorizerDeps;
  readonly #recent = new RecentDecisions();
  readonly #listeners = new Set<() => void>();
  #decisions = new Map<string, Decision>();
  #policy: CompiledPolicy | undefined;
  #epoch = 0;

  constructor(deps: AuthorizerDeps) {
    this.#deps = deps;
  }

  /** Changes with each policy that comes into force: what was compiled of an older one is void. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The rules in force, in the order of the text. */
  get rules(): readonly PolicyRule[] {
    return this.#policy?.rules ?? [];
  }

  /**
   * Something that is not in the registry of devices has changed: a role, or an owner. What was
   * compiled is void, as after another policy.
   */
  announceChange(): void {
    this.#epoch += 1;
    for (const listener of this.#listeners) listener();
  }

  /** Puts a checked policy in force. */
  activate(text: string): void {
    const policy = new CompiledPolicy(text);
    this.#policy?.close();
    this.#policy = policy;
    this.#decisions = new Map();
    this.announceChange();
  }

  /** Calls `listener` when another policy is in force, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Decides, and keeps the decision for {@link recent}. */
  decide(request: DecisionRequest): Decision {
    // It says nothing about the policy, on which the recent decisions are to try another one.
    if (isOutOfScope(request)) return NOT_PERMITTED;
    const decision = this.peek(request);
    this.#recent.add(request, decision, this.#deps.clock.nowMs());
    return decision;
  }

  /** As {@link decide}, for one of many in a row, such as the lines of a list. */
  peek(request: DecisionRequest): Decision {
    const policy = this.#policy;
    if (policy === undefined || isOutOfScope(request)) return NOT_PERMITTED;
    const canonical = policy.canonicalize(this.#withOwner(request));
    const known = this.#decisions.get(canonical.key);
    if (known !== undefined) return known;
    const decision = policy.decide(canonical.request);
    const [oldest] = this.#decisions.keys();
    if (oldest !== undefined && this.#decisions.size >= DECISIONS_REMEMBERED_MAX) {
      this.#decisions.delete(oldest);
    }
    this.#decisions.set(canonical.key, decision);
    return decision;
  }

  /**
   * Tells which devices are decided alike, for whoever asks for many in a row and is no device
   * itself. It counts as long as {@link epoch} stays.
   * @param scope - of whoever asks, which can tell devices apart as well.
   */
  deviceKinds(scope: TokenScope | undefined): (device: DeviceFacts) => DeviceKind {
    const { ownerOf = () => undefined } = this.#deps;
    return deviceKinds({
      mentioned: (type) => [
        ...(this.#policy?.mentions.mentioned(type) ?? []),
        ...(type === 'Group' && scope?.group !== undefined ? [scope.group] : []),
      ],
      ownerOf,
    });
  }

  /** Whether it is permitted for every device that there is or could be. */
  isPermittedForEvery(request: WildcardRequest): boolean {
    const possible = this.#possible(request);
    return possible.length > 0 && possible.every((device) => this.#isPermitted(request, device));
  }

  /** Whether there could be a device for which it is permitted. */
  isPermittedForSome(request: WildcardRequest): boolean {
    return this.#possible(request).some((device) => this.#isPermitted(request, device));
  }

  /** The last decisions that differ, newest first. */
  recent(): RecentDecision[] {
    return this.#recent.all();
  }

  #withOwner({ principal, resource, ...rest }: DecisionRequest): DecisionRequest {
    return { ...rest, principal: this.#owned(principal), resource: this.#owned(resource) };
  }

  #owned<T extends Principal | Resource>(thing: T): T {
    const device = 'device' in thing ? thing.device : undefined;
    if (device === undefined || device.owner !== undefined) return thing;
    const owner = this.#deps.ownerOf?.(device.id);
    return owner === undefined ? thing : { ...thing, device: { ...device, owner } };
  }

  #possible({ principal }: WildcardRequest): DeviceFacts[] {
    return this.#policy === undefined
      ? []
      : possibleDevices(this.#policy.mentions, this.#owned(principal));
  }

  #isPermitted(request: WildcardRequest, device: DeviceFacts): boolean {
    const { resourceOf, ...asked } = request;
    return this.peek({ ...asked, resource: resourceOf(device) }).isPermitted;
  }
}

const NOT_PERMITTED: Decision = { isPermitted: false, rules: [] };

/** A token with a scope is good for what both its person's rights and the scope permit. */
function isOutOfScope(request: DecisionRequest): boolean {
  const { principal } = request;
  if (principal.kind !== 'person' || principal.scope === undefined) return false;
  return !isInScope(principal.scope, request);
}
