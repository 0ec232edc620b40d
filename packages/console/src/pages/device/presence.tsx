/** Whether the device is there, and what it is, on one line. @module */
import type { DeviceView } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Badge } from '../../parts/badge.tsx';
import { Time } from '../../parts/time.tsx';
import styles from './device-page.module.css';

/** Connected now, or when it was heard of last. */
export function Online({
  device: { online, lastSeen },
}: {
  readonly device: Pick<DeviceView, 'online' | 'lastSeen'>;
}): ReactNode {
  if (online === true) return <Badge tone="good">connected</Badge>;
  if (lastSeen === undefined) return <Badge>never seen</Badge>;
  return (
    <>
      <Badge tone="warn">not connected</Badge> last seen <Time at={lastSeen} />
    </>
  );
}

/** The line. */
export function Presence({ device }: { readonly device: DeviceView }): ReactNode {
  return (
    <span className={styles['presence']}>
      <span role="status">
        <Online device={device} />
      </span>
      <span>{device.class}</span>
      {device.group !== '' && <span>group {device.group}</span>}
      {device.tags !== undefined && device.tags.length > 0 && (
        <span>
          <Tags tags={device.tags} />
        </span>
      )}
    </span>
  );
}

/** The tags of a device. */
export function Tags({ tags }: { readonly tags: readonly string[] }): ReactNode {
  return (
    <span className={styles['tags']}>
      {tags.map((tag) => (
        <span key={tag} className={styles['tag']}>
          {tag}
        </span>
      ))}
    </span>
  );
}
