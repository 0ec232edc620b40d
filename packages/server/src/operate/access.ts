/** What one request may do: the policy asked for its caller, its action and its thing. @module */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Clock } from '../kernel/index.ts';
import {
  ACTION_NAMES,
  type ApiAction,
  type Authorizer,
  type DecisionContext,
  type DeviceFacts,
  type DeviceKind,
  type PersonPrincipal,
  type Resource,
  actionDeclaration,
  selfOf,
} from '../policy/index.ts';
import type { Caller, RoleName } from '../registry/index.ts';
import { RefusedRequest } from './errors.ts';
import { STEP_UP_LIFE_MS } from './limits.ts';

/** What a request's access needs. */
export interface AccessDeps {
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  /** The role that a person has now. */
  readonly roleOf: (principal: string) => RoleName | undefined;
}

/** Whose request it is, and for what. */
export interface AccessRequest {
  readonly caller: Caller;
  readonly action: ApiAction;
  /** The other person who has approved this very request. */
  readonly approvedBy: string | undefined;
}

/** How the policy sees a request: what it permits, and what is missing where it does not. */
export type Verdict = 'permitted' | 'step-up' | 'second-person' | 'forbidden';

/** The access of one request. A route over many devices has to ask it about each of them. */
export class RequestAccess {
  readonly #deps: AccessDeps;
  readonly #request: AccessRequest;
  #hasDecided = false;

  constructor(deps: AccessDeps, request: AccessRequest) {
    this.#deps = deps;
    this.#request = request;
  }

  /** What the request is for. */
  get action(): ApiAction {
    return this.#request.action;
  }

  /** Whether a second person has approved it; they may lack the right to a part of it. */
  get isApproved(): boolean {
    return this.#request.approvedBy !== undefined;
  }

  /** Whether anything was decided yet: a handler over many devices that never asks is a fault. */
  get hasDecided(): boolean {
    return this.#hasDecided;
  }

  /** Of many devices those that it may be done to. */
  filter<T extends DeviceFacts>(devices: readonly T[]): T[] {
    this.#hasDecided = true;
    return devices.filter((device) => this.permits(device));
  }

  /** Whether it, or another action, may be done to one of many devices. */
  permits(device: DeviceFacts, action?: ApiAction): boolean {
    this.#hasDecided = true;
    return this.#isPermitted({ kind: 'device', device }, action);
  }

  /**
   * As {@link permits}, for going through a whole fleet at once: devices that no rule can tell
   * apart are decided together. It counts for as long as nothing else is waited for.
   */
  decider(action: ApiAction = this.#request.action): (device: DeviceFacts) => boolean {
    this.#hasDecided = true;
    if (this.permitsEvery(action)) return () => true;
    return this.#byKind((device) => this.#isPermitted({ kind: 'device', device }, action));
  }

  /** As {@link verdict}, in the same way. */
  verdicts(action: ApiAction = this.#request.action): (device: DeviceFacts) => Verdict {
    this.#hasDecided = true;
    return this.#byKind((device) => this.verdict({ kind: 'device', device }, action));
  }

  /**
   * Goes on when it may be done to a device; one that the caller may not see is absent.
   * @param device - undefined for one that is not there: the same is asked about one in its place.
   * @throws RefusedRequest `E_OPERATE_NOT_FOUND`, `E_OPERATE_FORBIDDEN`, `E_OPERATE_STEP_UP`.
   */
  require<T extends DeviceFacts>(device: T | undefined, id: string, action?: ApiAction): T {
    const judged = this.judge(device, id, action);
    if (judged.verdict === 'permitted') return judged.device;
    throw new RefusedRequest(this.refusalOf(judged.verdict, action));
  }

  /** As {@link require}, but gives what is missing. @throws RefusedRequest `E_OPERATE_NOT_FOUND`. */
  judge<T extends DeviceFacts>(
    device: T | undefined,
    id: string,
    action?: ApiAction,
  ): { device: T; verdict: Verdict } {
    this.#hasDecided = true;
    const resource: Resource = { kind: 'device', device: device ?? absent(id) };
    const verdict = this.verdict(resource, action);
    // Whoever has the right to see it learns which right is missing; others, that it is not there.
    const isVisible = this.verdict(resource, 'device:read') === 'permitted';
    if (device === undefined || (verdict === 'forbidden' && !isVisible)) {
      throw new RefusedRequest(refuse('E_OPERATE_NOT_FOUND', `There is no device ${id}.`));
    }
    return { device, verdict };
  }

  /** As {@link require}, for a device that is about to be made. */
  requireNew(device: DeviceFacts): void {
    this.#hasDecided = true;
    const verdict = this.verdict({ kind: 'device', device });
    if (verdict !== 'permitted') throw new RefusedRequest(this.refusalOf(verdict));
  }

  /** Whether it, or another action, is permitted as things stand now: for a stream, which lasts. */
  stillPermits(resource: Resource, action?: ApiAction): boolean {
    return this.#isPermitted(resource, action);
  }

  /** Whether an action is permitted on every device that there is or could be. */
  permitsEvery(action: ApiAction): boolean {
    const principal = this.#principal();
    if (principal === undefined) return false;
    const resourceOf = (device: DeviceFacts): Resource => ({ kind: 'device', device });
    const context = { steppedUp: this.#isSteppedUp(this.#request.caller), secondPerson: false };
    return this.#deps.authorizer.isPermittedForEvery({ principal, action, resourceOf, context });
  }

  /** Whether there could be a device that it may be done to, with all that the policy asks for. */
  isPossible(action: ApiAction = this.#request.action): boolean {
    const principal = this.#principal();
    if (principal === undefined) return false;
    const resourceOf = (device: DeviceFacts): Resource => ({ kind: 'device', device });
    const context = { steppedUp: true, secondPerson: true };
    return this.#deps.authorizer.isPermittedForSome({ principal, action, resourceOf, context });
  }

  /**
   * What the caller might do to the server or to some device, with all that the policy asks for.
   * The first time under a policy it takes some hundred decisions, so messages get their turn between.
   */
  async possibleActions(): Promise<ApiAction[]> {
    const possible: ApiAction[] = [];
    for (const action of ACTION_NAMES) {
      await nextTurn();
      if (this.#isConceivable(action)) possible.push(action);
    }
    return possible;
  }

  /** What the policy says, as things stand now. */
  verdict(resource: Resource, action: ApiAction = this.#request.action): Verdict {
    const principal = this.#principal();
    if (principal === undefined) return 'forbidden';
    const { authorizer } = this.#deps;
    const context = this.#context(resource, action);
    const may = (circumstances: DecisionContext): boolean =>
      authorizer.peek({ principal, action, resource, context: circumstances }).isPermitted;
    const { isPermitted } = authorizer.decide({ principal, action, resource, context });
    // All are asked, whatever the first one says: the work must not tell what is there.
    const isPossible = may({ steppedUp: true, secondPerson: true });
    const needsPersonOnly = may({ ...context, secondPerson: true });
    if (isPermitted) return 'permitted';
    if (!isPossible) return 'forbidden';
    return needsPersonOnly ? 'second-person' : 'step-up';
  }

  /** The caller as the thing that is asked for. */
  get self(): Resource {
    const { principal: id, role } = this.#request.caller;
    return selfOf({ kind: 'person', id, role });
  }

  /** What the caller is told. */
  refusalOf(
    verdict: Exclude<Verdict, 'permitted'>,
    action: ApiAction = this.#request.action,
  ): Refusal {
    const { caller } = this.#request;
    if (verdict === 'step-up') return refuse('E_OPERATE_STEP_UP', `${action} asks for it.`);
    if (verdict === 'second-person') {
      // Only what the guard itself decides can wait: it knows the whole request.
      const { approvedBy } = this.#request;
      const detail =
        approvedBy === undefined
          ? `Do ${action} to one device at a time.`
          : `${approvedBy}, who approved, has no right to ${action} here.`;
      return refuse('E_OPERATE_SECOND_PERSON', detail);
    }
    return refuse('E_OPERATE_FORBIDDEN', `${permitterOf(caller)} does not permit ${action} here.`);
  }

  #byKind<T>(decide: (device: DeviceFacts) => T): (device: DeviceFacts) => T {
    const kindOf = this.#deps.authorizer.deviceKinds(this.#request.caller.scope);
    const known = new Map<DeviceKind, T>();
    return (device) => {
      const kind = kindOf(device);
      const decided = known.get(kind) ?? decide(device);
      known.set(kind, decided);
      return decided;
    };
  }

  #isConceivable(action: ApiAction): boolean {
    const { on } = actionDeclaration(action);
    if (on === 'device') return this.isPossible(action);
    const principal = this.#principal();
    if (principal === undefined || on === 'self') return false;
    const context = { steppedUp: true, secondPerson: true };
    const request = { principal, action, resource: { kind: 'server' } as const, context };
    return this.#deps.authorizer.peek(request).isPermitted;
  }

  #isPermitted(resource: Resource, action: ApiAction = this.#request.action): boolean {
    const principal = this.#principal();
    if (principal === undefined) return false;
    const context = this.#context(resource, action);
    return this.#deps.authorizer.peek({ principal, action, resource, context }).isPermitted;
  }

  /** With the role of now: a stream outlives the request that began it. */
  #principal(): PersonPrincipal | undefined {
    const { principal, scope } = this.#request.caller;
    const person = this.#person(principal);
    return person && scope ? { ...person, scope } : person;
  }

  #person(id: string): PersonPrincipal | undefined {
    const role = this.#deps.roleOf(id);
    return role && { kind: 'person', id, role };
  }

  #context(resource: Resource, action: ApiAction): DecisionContext {
    const steppedUp = this.#isSteppedUp(this.#request.caller);
    return { steppedUp, secondPerson: this.#hasSecondPerson(resource, action) };
  }

  /** Who approved counts only for what they could do themselves, as things stand now. */
  #hasSecondPerson(resource: Resource, action: ApiAction): boolean {
    const { approvedBy } = this.#request;
    const principal = approvedBy === undefined ? undefined : this.#person(approvedBy);
    if (principal === undefined) return false;
    const context = { steppedUp: true, secondPerson: true };
    return this.#deps.authorizer.peek({ principal, action, resource, context }).isPermitted;
  }

  /** Who holds the data folder has proven more than any second factor could. */
  #isSteppedUp({ credential, steppedUpAtMs }: Caller): boolean {
    if (credential === 'local') return true;
    if (credential !== 'session' || steppedUpAtMs === undefined) return false;
    return this.#deps.clock.nowMs() - steppedUpAtMs < STEP_UP_LIFE_MS;
  }
}

/** What has to permit an act of a caller, in words. */
export function permitterOf({ role, scope }: Pick<Caller, 'role' | 'scope'>): string {
  return scope === undefined ? `The role ${role}` : `The role ${role} with the scope of this token`;
}

/** What stands for a device that does not exist, so that it costs as much as one that does. */
function absent(id: string): DeviceFacts {
  return { id, class: 'sensor', state: 'registered', group: '' };
}
