/**
 * How people write who asks and what for, on the command line and in a file of expectations:
 * `person:ada`, `role:viewer`, `device:pump-1`, `class:sensor`, `server`, `topic:pump-1/cmd`, and
 * `device:new[class=sensor,group=north,state=active,owner=…]` for a device as it would be.
 * @module
 */
import { Refusal, refuse } from '@holdfast/protocol';
import { DEVICE_CLASS_NAMES, DEVICE_STATES, ROLE_NAMES, type RoleName } from '../registry/index.ts';
import { isApiAction } from './actions.ts';
import {
  type DeviceFacts,
  type PolicyAction,
  type Principal,
  type Resource,
  TOPIC_PARTS,
} from './subjects.ts';

/** Where names are looked up. */
export interface TermWorld {
  readonly deviceOf: (id: string) => DeviceFacts | undefined;
  /** The role that a person has now. */
  readonly roleOf: (principal: string) => RoleName | undefined;
}

/** Reads who asks, or refuses with `E_POLICY_TERM`. */
export function parsePrincipal(text: string, world: TermWorld): Principal | Refusal {
  const [kind, name] = split(text);
  if (kind === 'person' || text === 'local') return person(text, world);
  if (kind === 'role') {
    const role = ROLE_NAMES.find((each) => each === name);
    return role === undefined ? unknown(text, ROLE_NAMES) : { kind: 'person', id: 'person:', role };
  }
  if (kind === 'app') {
    const { id, attributes } = attributed(name);
    const owner = attributes.get('owner');
    if (owner !== undefined) return { kind: 'app', id, owner };
    return term(`${text}: an app is written app:<id>[owner=<owner>]`);
  }
  const device = parseDevice(kind, name, world);
  return device instanceof Refusal ? device : { kind: 'device', device };
}

/** Reads what is asked for, or refuses with `E_POLICY_TERM`. */
export function parseResource(
  text: string,
  { world, principal }: { world: TermWorld; principal: Principal },
): Resource | Refusal {
  const [kind, name] = split(text);
  if (text === 'server') return { kind: 'server' };
  if (text === 'self') return selfOf(principal);
  if (kind === 'person') return { kind: 'person', id: text };
  if (kind === 'topic') return parseTopicTerm(name, world);
  const device = parseDevice(kind, name, world);
  return device instanceof Refusal ? device : { kind: 'device', device };
}

/** Reads an action, or refuses with `E_POLICY_TERM`. */
export function parseAction(text: string): PolicyAction | Refusal {
  if (text === 'publish' || text === 'subscribe' || isApiAction(text)) return text;
  return term(`${text} is no action; the schema lists them: holdfast policy show --schema`);
}

/** The caller as a resource. */
export function selfOf(principal: Principal): Resource {
  if (principal.kind === 'device') return { kind: 'device', device: principal.device };
  if (principal.kind === 'person') return { kind: 'person', id: principal.id };
  return { kind: 'app', id: principal.id, owner: principal.owner };
}

function person(id: string, { roleOf }: TermWorld): Principal | Refusal {
  const role = roleOf(id);
  return role === undefined ? term(`there is no ${id}`) : { kind: 'person', id, role };
}

function parseTopicTerm(name: string, world: TermWorld): Resource | Refusal {
  const slash = name.lastIndexOf('/');
  const part = TOPIC_PARTS.find((each) => each === name.slice(slash + 1));
  if (part === undefined) return unknown(`topic:${name}`, TOPIC_PARTS);
  if (slash < 1) return { kind: 'topic', part };
  const device = parseDevice('device', name.slice(0, slash), world);
  return device instanceof Refusal ? device : { kind: 'topic', part, device };
}

function parseDevice(kind: string, name: string, { deviceOf }: TermWorld): DeviceFacts | Refusal {
  if (kind === 'class') {
    const className = DEVICE_CLASS_NAMES.find((each) => each === name);
    if (className === undefined) return unknown(`class:${name}`, DEVICE_CLASS_NAMES);
    return { id: '', class: className, state: 'active', group: '' };
  }
  if (kind !== 'device') {
    return term(`"${kind}${name === '' ? '' : `:${name}`}" is neither a person, device nor server`);
  }
  const { id, attributes } = attributed(name);
  const known = deviceOf(id);
  if (known === undefined && attributes.size === 0) return term(`there is no device ${id}`);
  const className = oneOf(attributes.get('class') ?? known?.class ?? 'sensor', DEVICE_CLASS_NAMES);
  const state = oneOf(attributes.get('state') ?? known?.state ?? 'active', DEVICE_STATES);
  if (className instanceof Refusal) return className;
  if (state instanceof Refusal) return state;
  const group = attributes.get('group') ?? known?.group ?? '';
  return { id, class: className, state, group, owner: attributes.get('owner') ?? known?.owner };
}

/** `name[key=value,…]` taken apart. */
function attributed(text: string): { id: string; attributes: ReadonlyMap<string, string> } {
  const found = /^([^[\]]*)\[([^[\]]*)\]$/u.exec(text);
  if (found === null) return { id: text, attributes: new Map() };
  const pairs = (found[2] ?? '').split(',').map((pair): [string, string] => {
    const [key = '', ...value] = pair.split('=');
    return [key.trim(), value.join('=').trim()];
  });
  return { id: found[1] ?? '', attributes: new Map(pairs) };
}

function oneOf<T extends string>(text: string, values: readonly T[]): T | Refusal {
  return values.find((value) => value === text) ?? unknown(text, values);
}

function split(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

function unknown(text: string, values: readonly string[]): Refusal {
  return term(`${text}: one of ${values.join(', ')}`);
}

function term(detail: string): Refusal {
  return refuse('E_POLICY_TERM', detail);
}
