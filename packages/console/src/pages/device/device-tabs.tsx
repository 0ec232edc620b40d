/** The parts of the page, each with an address of its own. @module */
import { type ReactNode, useEffect, useRef } from 'react';
import { NavLink } from 'react-router';
import styles from './device-tabs.module.css';

/** The parts, in their order. */
export const DEVICE_TABS = [
  { name: 'overview', label: 'Overview' },
  { name: 'readings', label: 'Readings' },
  { name: 'refusals', label: 'Refusals' },
  { name: 'commands', label: 'Commands' },
  { name: 'firmware', label: 'Firmware' },
  { name: 'access', label: 'Access' },
  { name: 'identity', label: 'Identity' },
] as const;
/** Name of a part, as it stands in the address. */
export type DeviceTab = (typeof DEVICE_TABS)[number]['name'];

/** Reads the name of a part. */
export function deviceTabOf(text: string): DeviceTab | undefined {
  return DEVICE_TABS.find(({ name }) => name === text)?.name;
}

/** Where a part of a device is. */
export function tabPath(id: string, tab: DeviceTab): string {
  const path = `/devices/${encodeURIComponent(id)}`;
  return tab === 'overview' ? path : `${path}/${tab}`;
}

/** The row of links. */
export function DeviceTabs({
  id,
  current,
}: {
  readonly id: string;
  readonly current: DeviceTab;
}): ReactNode {
  const row = useRef<HTMLElement>(null);
  useEffect(() => {
    // Where the row is wider than the screen, the present part comes into view.
    const link = row.current?.querySelector('[aria-current="page"]');
    link?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [current]);
  return (
    <nav ref={row} className={styles['tabs']} aria-label="Parts of this device">
      {DEVICE_TABS.map(({ name, label }) => (
        <NavLink key={name} to={tabPath(id, name)} end className={styles['tab'] ?? ''}>
          {label}
        </NavLink>
      ))}
    </nav>
  );
}
