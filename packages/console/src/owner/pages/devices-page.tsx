/** All devices of the owner: how they are, and what they said last. @module */
import type { LatestView, OwnedDevice } from '@holdfast/protocol/api';
import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import type { ReactNode } from 'react';
import { Badge } from '../../parts/badge.tsx';
import { deviceLink, goTo } from '../hash-route.ts';
import { latestValues, listDevices } from '../owner-api.ts';
import { Button } from '../parts/button.tsx';
import { conditionOf, kindOf } from '../parts/device-words.ts';
import { ProblemBox } from '../parts/problem.tsx';
import { valueText } from '../parts/value-text.ts';
import { When } from '../parts/when.tsx';
import { useContact } from '../use-contact.ts';
import controls from '../parts/controls.module.css';
import styles from './devices-page.module.css';

const ASKED_EVERY_MS = 10_000;
/** Values that have room on a card; the page of the device has all. */
const SHOWN_VALUES = 3;

export function DevicesPage(): ReactNode {
  const devices = useQuery({
    queryKey: ['devices'],
    queryFn: listDevices,
    refetchInterval: ASKED_EVERY_MS,
  });
  const latest = useQuery({
    queryKey: ['latest'],
    queryFn: latestValues,
    refetchInterval: ASKED_EVERY_MS,
  });
  const { data } = devices;
  return (
    <section className={controls['stack']}>
      <h1>My devices</h1>
      {data === undefined && devices.error === null && <p role="status">Asking the server…</p>}
      {data === undefined && <ProblemBox error={devices.error} />}
      {data?.length === 0 && (
        <div className={controls['card']}>
          <h2>You have no device now</h2>
          <p>
            Devices that were given away or reset leave this list at once. Add one by the code on
            its display or label.
          </p>
        </div>
      )}
      <ul className={styles['list']}>
        {data?.map((device) => (
          <li key={device.id}>
            <DeviceCard device={device} values={latest.data?.get(device.id) ?? []} />
          </li>
        ))}
      </ul>
      {data !== undefined && (
        <Button isWide kind={data.length === 0 ? 'main' : 'normal'} onPress={() => goTo('#/add')}>
          <Plus size={18} aria-hidden="true" />
          Add a device
        </Button>
      )}
    </section>
  );
}

function DeviceCard({
  device,
  values,
}: {
  readonly device: OwnedDevice;
  readonly values: LatestView['values'];
}): ReactNode {
  const { isReached } = useContact();
  const { word, tone } = conditionOf(device, isReached);
  const newest = values[0]?.at ?? device.lastSeen;
  return (
    <a className={styles['link']} href={deviceLink(device.id)}>
      <span className={styles['top']}>
        <span className={styles['name']}>{device.id}</span>
        <Badge tone={tone}>{word}</Badge>
      </span>
      {values.length > 0 && (
        <span className={styles['values']} data-stale={!isReached}>
          {values.slice(0, SHOWN_VALUES).map(({ series, value, kind }) => (
            <span key={series}>
              <span className={styles['value']}>{valueText(value, kind)}</span>
              <br />
              <span className={styles['series']}>{series}</span>
            </span>
          ))}
        </span>
      )}
      <span className={controls['quiet']}>
        {kindOf(device)} ·{' '}
        {newest === undefined ? (
          'has sent nothing yet'
        ) : (
          <>
            heard <When at={newest} />
          </>
        )}
      </span>
    </a>
  );
}
