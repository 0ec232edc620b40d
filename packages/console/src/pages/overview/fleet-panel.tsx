/** The devices by state and class. @module */
import type { DeviceView, Overview } from '@holdfast/protocol/api';
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { DeviceState, STATE_TONES } from '../../parts/device-state.tsx';
import { Empty } from '../../parts/empty.tsx';
import { countText } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';
import own from './fleet-panel.module.css';
import styles from './overview.module.css';

const CLASSES = [
  ['sensor', 'Sensors'],
  ['actuator', 'Actuators'],
  ['gateway', 'Gateways'],
  ['service', 'Services'],
] as const satisfies [DeviceView['class'], string][];

/** In the order of the life cycle. */
const STATES = [
  'registered',
  'claimed',
  'active',
  'quarantined',
  'suspended',
  'revoked',
  'retired',
] as const satisfies DeviceView['state'][];

/** As they are counted: whatever has ended is not waited for. */
const NEVER_SEEN = '/devices?seen=never&state=registered,claimed,active,quarantined,suspended';

/** The panel. */
export function FleetPanel({ fleet }: Pick<Overview, 'fleet'>): ReactNode {
  const note = fleet.isWhole ? undefined : 'Those devices that your role may see.';
  return (
    <Panel title="Fleet" note={note} actions={<Link to="/devices">All devices</Link>}>
      {fleet.total === 0 ? <NoDevices isWhole={fleet.isWhole} /> : <Fleet fleet={fleet} />}
    </Panel>
  );
}

function NoDevices({ isWhole }: { readonly isWhole: boolean }): ReactNode {
  if (!isWhole) return <Empty title="There is no device that your role may see." />;
  return (
    <Empty
      title="There are no devices yet."
      actions={
        <Button component={Link} to="/welcome">
          Connect your first device
        </Button>
      }
    >
      It takes some minutes, and the next page shows every step.
    </Empty>
  );
}

function Fleet({ fleet }: Pick<Overview, 'fleet'>): ReactNode {
  const states = STATES.map((state) => ({ state, count: fleet.byState[state] ?? 0 }));
  const present = states.filter(({ count }) => count > 0);
  return (
    <>
      <div className={own['bar']} aria-hidden="true">
        {present.map(({ state, count }) => (
          <span
            key={state}
            className={own['part']}
            data-tone={STATE_TONES[state]}
            style={{ flexGrow: count, flexBasis: 0 }}
          />
        ))}
      </div>
      <ul className={styles['list']} aria-label="Devices by state">
        {present.map(({ state, count }) => (
          <li key={state} className={styles['row']}>
            <DeviceState state={state} />
            <Link className={styles['count']} to={`/devices?state=${state}`}>
              {countText(count)}
            </Link>
          </li>
        ))}
      </ul>
      <h3 className={styles['heading']}>By connection</h3>
      <ul className={styles['list']}>
        <li className={styles['row']}>
          <span>Connected now</span>
          <Link className={styles['count']} to="/devices?online=yes">
            {countText(fleet.connected)}
          </Link>
        </li>
        <li className={styles['row']}>
          <span>Never seen</span>
          <Link className={styles['count']} to={NEVER_SEEN}>
            {countText(fleet.neverSeen)}
          </Link>
        </li>
      </ul>
      <h3 className={styles['heading']}>By class</h3>
      <ul className={styles['list']}>
        {CLASSES.filter(([name]) => (fleet.byClass[name] ?? 0) > 0).map(([name, words]) => (
          <li key={name} className={styles['row']}>
            <span>{words}</span>
            <Link className={styles['count']} to={`/devices?class=${name}`}>
              {countText(fleet.byClass[name] ?? 0)}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
