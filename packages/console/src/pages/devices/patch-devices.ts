/** Changes devices in pages that are loaded already; what stays the same keeps its object. @module */
import type { DeviceList, DeviceView } from '@holdfast/protocol/api';

interface Pages {
  readonly pages: DeviceList[];
}

/** The pages with each device as `change` gives it; the same pages when nothing has changed. */
export function patched<T extends Pages>(data: T, change: (device: DeviceView) => DeviceView): T {
  let isChanged = false;
  const pages = data.pages.map((page) => {
    let isPageChanged = false;
    const devices = page.devices.map((device) => {
      const after = change(device);
      isPageChanged ||= after !== device;
      return after;
    });
    isChanged ||= isPageChanged;
    return isPageChanged ? { ...page, devices } : page;
  });
  return isChanged ? { ...data, pages } : data;
}
