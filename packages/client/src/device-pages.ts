/** The list of devices, which comes in pages. @module */
import type { DeviceFilter, DeviceList, DeviceView } from '@holdfast/protocol/api';
import { notTheApi } from './transport.ts';

/** All devices that a filter lets through, in the order of their ids. */
export async function allDevices(
  read: (path: string) => Promise<DeviceList>,
  filter: DeviceFilter = {},
): Promise<DeviceView[]> {
  const parameters = new URLSearchParams(Object.entries(filter).filter(isGiven));
  const found: DeviceView[] = [];
  for (;;) {
    const query = parameters.size === 0 ? '' : `?${parameters.toString()}`;
    const { devices, next } = await read(`/v1/devices${query}`);
    for (const device of devices) found.push(device);
    if (next === undefined) return found;
    if (next <= (parameters.get('after') ?? '')) throw notTheApi('its list of devices has no end');
    parameters.set('after', next);
  }
}

function isGiven(entry: readonly [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}
