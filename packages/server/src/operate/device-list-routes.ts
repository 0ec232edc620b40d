/** The list of devices: searched, in an order, a page at a time; and what there is to filter by. @module */
import {
  type DeviceFacets,
  DeviceFacetsSchema,
  DeviceListSchema,
  DeviceQuerySchema,
} from '@holdfast/protocol/api';
import { DEVICE_CLASS_NAMES, DEVICE_STATES, type DeviceColumns } from '../registry/index.ts';
import type { RequestAccess } from './access.ts';
import type { ApiDeps } from './deps.ts';
import { DeviceFactsReader } from './device-facts.ts';
import { type SlotTest, deviceFilter } from './device-filter.ts';
import { devicePage } from './device-page.ts';
import { FACET_VALUES_MAX } from './limits.ts';
import { type Routes, json } from './routes.ts';

export function addDeviceListRoutes(routes: Routes, deps: ApiDeps): void {
  routes.add(
    { action: 'device:read', on: 'devices' },
    {
      method: 'get',
      path: '/v1/devices',
      summary: 'Lists the devices that match, a page at a time.',
      request: { query: DeviceQuerySchema },
      responses: { 200: json(DeviceListSchema, 'In the order of their ids, or another one.') },
    },
    (c) => {
      const { columns } = deps.registry;
      const { limit, sort, order, after, count: wantsCount, ...filter } = c.req.valid('query');
      // A page by id ends when it is full; for any other, the whole fleet is gone through.
      const isWhole = wantsCount === 'yes' || sort !== 'id' || order !== 'asc' || hasAny(filter);
      routes.takeLooks(c, isWhole ? columns.count : limit);
      const facts = new DeviceFactsReader(deps);
      const isMeant = permitted(c.get('access'), {
        columns,
        matches: deviceFilter(filter, { columns, facts }),
      });
      const wish = { limit, sort, order, after, counts: wantsCount === 'yes' };
      const page = devicePage(wish, { columns, isMeant });
      const { devices, next, count } = page;
      return c.json(
        {
          devices: devices.map((device) => facts.view(device)),
          ...(next !== undefined && { next }),
          ...(count !== undefined && { count }),
        },
        200,
      );
    },
  );

  routes.add(
    { action: 'device:read', on: 'devices' },
    {
      method: 'get',
      path: '/v1/device-facets',
      summary: 'Tells by what devices can be found: states, classes, groups, tags and versions.',
      responses: { 200: json(DeviceFacetsSchema, 'Each one with its number of devices.') },
    },
    (c) => {
      const { columns } = deps.registry;
      routes.takeLooks(c, columns.count);
      const isMeant = permitted(c.get('access'), { columns, matches: () => true });
      return c.json(facetsOf(columns, { isMeant, facts: new DeviceFactsReader(deps) }), 200);
    },
  );
}

function hasAny(filter: object): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

/** Those that match and that the caller may see. */
export function permitted(
  access: RequestAccess,
  { columns, matches }: { columns: DeviceColumns; matches: SlotTest },
): SlotTest {
  const isPermitted = access.decider('device:read');
  return (slot) => {
    const device = columns.devices[slot];
    return device !== undefined && matches(slot) && isPermitted(device);
  };
}

function facetsOf(
  columns: DeviceColumns,
  { isMeant, facts }: { isMeant: SlotTest; facts: Pick<DeviceFactsReader, 'releaseOf'> },
): DeviceFacets {
  const { states, classes, groups, tags, online, groupNames, tagSets } = columns;
  const { running, runningTexts } = columns;
  const byState = DEVICE_STATES.map(() => 0);
  const byClass = DEVICE_CLASS_NAMES.map(() => 0);
  const byGroup = groupNames.values.map(() => 0);
  const byTags = tagSets.values.map(() => 0);
  const byRunning = runningTexts.values.map(() => 0);
  let [devices, connected] = [0, 0];
  for (let slot = 0; slot < columns.count; slot += 1) {
    if (!isMeant(slot)) continue;
    devices += 1;
    connected += online[slot] ?? 0;
    count(byState, states[slot]);
    count(byClass, classes[slot]);
    count(byGroup, groups[slot]);
    count(byTags, tags[slot]);
    count(byRunning, running[slot]);
  }
  const tagCounts = new Map<string, number>();
  for (const [at, set] of tagSets.values.entries()) {
    for (const tag of set) tagCounts.set(tag, (tagCounts.get(tag) ?? 0) + (byTags[at] ?? 0));
  }
  const firmware = new Map<string, number>();
  for (const [at, told] of runningTexts.values.entries()) {
    const runs = facts.releaseOf(told) ?? 'unknown';
    firmware.set(runs, (firmware.get(runs) ?? 0) + (byRunning[at] ?? 0));
  }
  return {
    devices,
    online: connected,
    states: mostFirst(named(DEVICE_STATES, byState)),
    classes: mostFirst(named(DEVICE_CLASS_NAMES, byClass)),
    groups: mostFirst(named(groupNames.values, byGroup)),
    tags: mostFirst(tagCounts),
    firmware: mostFirst(firmware),
  };
}

function count(counts: number[], at: number | undefined): void {
  if (at !== undefined) counts[at] = (counts[at] ?? 0) + 1;
}

function named(names: readonly string[], counts: readonly number[]): [string, number][] {
  return names.map((name, at) => [name, counts[at] ?? 0]);
}

function mostFirst(counts: Iterable<[string, number]>): { value: string; devices: number }[] {
  return [...counts]
    .filter(([, devices]) => devices > 0)
    .map(([value, devices]) => ({ value, devices }))
    .sort((a, b) => b.devices - a.devices || (a.value < b.value ? -1 : 1))
    .slice(0, FACET_VALUES_MAX);
}
