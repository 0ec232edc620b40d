/**
 * Requests in the form under which their decisions are remembered. A rule can tell two devices
 * apart by their attributes, by who else is in the request, or because it names one of them, and
 * by nothing else. So a name that no rule mentions is replaced by a number, in the order in which
 * the request brings it: all devices of one class, state and group share one decision then.
 * @module
 */
import type { DecisionRequest, DeviceFacts, Principal, Resource } from './subjects.ts';

/** The kinds of names that are replaced; roles, classes, states and parts are few and stay. */
export type NamedType = 'Device' | 'Person' | 'App' | 'Owner' | 'Group';

/** Whether a rule mentions an entity by its name. */
export type IsMentioned = (type: NamedType, id: string) => boolean;

/** A request whose names say nothing any more, and the text that stands for it. */
export interface CanonicalRequest {
  readonly key: string;
  readonly request: DecisionRequest;
}

/** A character that no name of ours has, so that no mentioned name is met by chance. */
const NUMBERED = '\u0000';

/** Replaces every name that no rule mentions. */
export function canonicalize(request: DecisionRequest, isMentioned: IsMentioned): CanonicalRequest {
  const name = namer(isMentioned);
  const principal = canonicalPrincipal(request.principal, name);
  const resource = canonicalResource(request.resource, name);
  const { action, context } = request;
  const circumstances = context === undefined ? '' : `${context.steppedUp}${context.secondPerson}`;
  const key = JSON.stringify([action, principal, resource, circumstances]);
  return { key, request: { principal, action, resource, context } };
}

type Namer = (type: NamedType, id: string) => string;

function namer(isMentioned: IsMentioned): Namer {
  const numbers = new Map<string, string>();
  return (type, id) => {
    if (isMentioned(type, id)) return id;
    const full = `${type}${NUMBERED}${id}`;
    const known = numbers.get(full);
    if (known !== undefined) return known;
    const numbered = `${NUMBERED}${numbers.size}`;
    numbers.set(full, numbered);
    return numbered;
  };
}

function canonicalPrincipal(principal: Principal, name: Namer): Principal {
  switch (principal.kind) {
    case 'person':
      return { kind: 'person', id: name('Person', principal.id), role: principal.role };
    case 'app': {
      const { id, owner } = principal;
      return { kind: 'app', id: name('App', id), owner: name('Owner', owner) };
    }
    case 'device':
      return { kind: 'device', device: canonicalDevice(principal.device, name) };
  }
}

function canonicalResource(resource: Resource, name: Namer): Resource {
  switch (resource.kind) {
    case 'server':
      return { kind: 'server' };
    case 'person':
      return { kind: 'person', id: name('Person', resource.id) };
    case 'app': {
      const { id, owner } = resource;
      return { kind: 'app', id: name('App', id), owner: name('Owner', owner) };
    }
    case 'device':
      return { kind: 'device', device: canonicalDevice(resource.device, name) };
    case 'topic': {
      const { part, device } = resource;
      if (device === undefined) return { kind: 'topic', part };
      return { kind: 'topic', part, device: canonicalDevice(device, name) };
    }
  }
}

function canonicalDevice(device: DeviceFacts, name: Namer): DeviceFacts {
  const { id, class: className, state, group, owner, boot } = device;
  return {
    id: name('Device', id),
    class: className,
    state,
    group: name('Group', group),
    ...(owner === undefined ? {} : { owner: name('Owner', owner) }),
    ...(boot === undefined ? {} : { boot }),
  };
}
