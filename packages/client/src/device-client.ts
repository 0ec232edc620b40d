/** Devices: the list in pages, plans of bulk acts, tags, and what happened to one device. @module */
import {
  type ChangedDevice,
  ChangedDeviceSchema,
  type DeviceActList,
  DeviceActListSchema,
  type DeviceActsPlan,
  type DeviceActsPlanRequest,
  DeviceActsPlanSchema,
  type DeviceCommandList,
  DeviceCommandListSchema,
  type DeviceFacets,
  DeviceFacetsSchema,
  type DeviceHistoryQuery,
  type DeviceList,
  DeviceListSchema,
  type DeviceQuery,
  type DeviceSessions,
  DeviceSessionsSchema,
  type SetTagsRequest,
} from '@holdfast/protocol/api';
import type { z } from 'zod';
import { queryText } from './series-client.ts';

/** The methods for lists of devices, and for the history of one. */
export interface DeviceClient {
  /** One page of the list; `next` of it is `after` of the next one. */
  devicePage(query?: DeviceQuery): Promise<DeviceList>;
  /** Which states, groups, tags and versions there are, and how many devices of each. */
  deviceFacets(): Promise<DeviceFacets>;
  setDeviceTags(id: string, request: SetTagsRequest): Promise<ChangedDevice>;
  /** What would come of an act on many devices; nothing is done. */
  planDeviceActs(request: DeviceActsPlanRequest): Promise<DeviceActsPlan>;
  /** What was done to a device, newest first. */
  deviceActs(id: string, query?: DeviceHistoryQuery): Promise<DeviceActList>;
  /** The commands to a device with their acknowledgements, newest first. */
  deviceCommands(id: string, query?: DeviceHistoryQuery): Promise<DeviceCommandList>;
  /** Its connection, its session, and the connections before. */
  deviceSessions(id: string): Promise<DeviceSessions>;
}

/** Makes the methods. */
export function deviceClient({
  read,
  post,
}: {
  read: <T>(schema: z.ZodType<T>, path: string) => Promise<T>;
  post: <T>(schema: z.ZodType<T>, path: string, body?: unknown) => Promise<T>;
}): DeviceClient {
  return {
    devicePage: (query = {}) => read(DeviceListSchema, `/v1/devices${queryText(query)}`),
    deviceFacets: () => read(DeviceFacetsSchema, '/v1/device-facets'),
    setDeviceTags: (id, request) =>
      post(ChangedDeviceSchema, `${devicePath(id)}/set-tags`, request),
    planDeviceActs: (request) => post(DeviceActsPlanSchema, '/v1/device-acts/plan', request),
    deviceActs: (id, query = {}) =>
      read(DeviceActListSchema, `${devicePath(id)}/acts${queryText(query)}`),
    deviceCommands: (id, query = {}) =>
      read(DeviceCommandListSchema, `${devicePath(id)}/commands${queryText(query)}`),
    deviceSessions: (id) => read(DeviceSessionsSchema, `${devicePath(id)}/sessions`),
  };
}

/** Where the API has a device. */
export function devicePath(id: string): string {
  return `/v1/devices/${encodeURIComponent(id)}`;
}
