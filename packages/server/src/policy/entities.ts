/** Requests as Cedar takes them: entities with attributes and parents. @module */
import type { EntityJson, EntityUidJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { DeviceFacts, Principal, Resource } from './subjects.ts';

/** The only tenant so far, of which everything is. */
const TENANT = uid('Tenant', 'default');

/** A thing, and the entities that say what is known of it. */
export interface CedarThing {
  readonly uid: EntityUidJson;
  readonly entities: readonly EntityJson[];
}

/** Whoever asks. */
export function principalThing(principal: Principal): CedarThing {
  switch (principal.kind) {
    case 'person':
      return thing(uid('Person', principal.id), [uid('Role', principal.role), TENANT]);
    case 'app':
      return appThing(principal);
    case 'device':
      return deviceThing(principal.device);
  }
}

/** What is asked for. */
export function resourceThing(resource: Resource): CedarThing {
  switch (resource.kind) {
    case 'server':
      return thing(uid('Server', 'server'), [TENANT]);
    case 'person':
      return thing(uid('Person', resource.id), [TENANT]);
    case 'app':
      return appThing(resource);
    case 'device':
      return deviceThing(resource.device);
    case 'topic': {
      const { part, device } = resource;
      const partOf = { part: { __entity: uid('Part', part) } };
      if (device === undefined) return thing(uid('Topic', part), [TENANT], partOf);
      const about = deviceThing(device);
      const topic = uid('Topic', `${device.id}/${part}`);
      const attributes = { ...partOf, device: { __entity: uid('Device', device.id) } };
      const { entities } = thing(topic, [uid('Device', device.id), TENANT], attributes);
      return { uid: topic, entities: [...entities, ...about.entities] };
    }
  }
}

/** The entities of both, each one once: a device may ask for itself. */
export function entitiesOf(...things: readonly CedarThing[]): EntityJson[] {
  const byUid = new Map<string, EntityJson>();
  for (const { entities } of things) {
    for (const entity of entities) {
      const key = JSON.stringify(entity.uid);
      // Who asks comes first, and knows its role; as the thing that is asked for, it does not.
      if (!byUid.has(key)) byUid.set(key, entity);
    }
  }
  return [...byUid.values()];
}

function appThing({ id, owner }: { id: string; owner: string }): CedarThing {
  const attributes = { owner: { __entity: uid('Owner', owner) } };
  return thing(uid('App', id), [uid('Owner', owner), TENANT], attributes);
}

function deviceThing({ id, class: className, state, group, owner, boot }: DeviceFacts): CedarThing {
  const attributes = {
    class: { __entity: uid('DeviceClass', className) },
    state: { __entity: uid('State', state) },
    group: { __entity: uid('Group', group) },
    ...(owner === undefined ? {} : { owner: { __entity: uid('Owner', owner) } }),
    ...(boot === undefined ? {} : { boot: { __entity: uid('Boot', boot) } }),
  };
  return thing(
    uid('Device', id),
    [uid('DeviceClass', className), uid('Group', group), TENANT],
    attributes,
  );
}

function thing(
  of: TypeAndId,
  parents: readonly TypeAndId[],
  attrs: EntityJson['attrs'] = {},
): CedarThing {
  return { uid: of, entities: [{ uid: of, attrs, parents: [...parents] }] };
}

function uid(type: string, id: string): TypeAndId {
  return { type, id };
}
