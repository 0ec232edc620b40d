/** Updates: rollouts on their way, and how the last update of each device ended. @module */
import type { Overview } from '@holdfast/protocol/api';
import { Progress } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Badge } from '../../parts/badge.tsx';
import { Empty } from '../../parts/empty.tsx';
import { countText } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';
import type { Tone } from '../../parts/tone.ts';
import styles from './overview.module.css';

type Updates = NonNullable<Overview['updates']>;
type Rollout = Updates['rollouts'][number];

/** The panel. */
export function UpdatesPanel({ updates }: { readonly updates: Updates }): ReactNode {
  const { rollouts, byState } = updates;
  const states = UPDATE_STATES.filter(([state]) => (byState[state] ?? 0) > 0);
  return (
    <Panel title="Updates" actions={<Link to="/rollouts">All rollouts</Link>}>
      {rollouts.length === 0 && states.length === 0 && (
        <Empty title="No update is on its way.">
          Releases stand under <Link to="/firmware">Firmware</Link>.
        </Empty>
      )}
      {rollouts.length > 0 && (
        <ul className={styles['list']}>
          {rollouts.map((rollout) => (
            <RolloutItem key={rollout.id} rollout={rollout} />
          ))}
        </ul>
      )}
      {states.length > 0 && (
        <>
          <h3 className={styles['heading']}>Devices by their last update</h3>
          <ul className={styles['list']}>
            {states.map(([state, tone]) => (
              <li key={state} className={styles['row']}>
                <Badge tone={tone}>{state}</Badge>
                <Link className={styles['count']} to={`/devices?update=${state}`}>
                  {countText(byState[state] ?? 0)}
                </Link>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}

function RolloutItem({ rollout }: { readonly rollout: Rollout }): ReactNode {
  const { id, release, state, devices, confirmed, failed } = rollout;
  const share = (count: number): number => (devices === 0 ? 0 : (count * 100) / devices);
  const text = `${countText(confirmed)} of ${countText(devices)} confirmed${
    failed > 0 ? `, ${countText(failed)} failed` : ''
  }`;
  return (
    <li>
      <div className={styles['row']}>
        <Link className={styles['what']} to={`/rollouts/${id}`}>
          {release}
        </Link>
        <Badge tone={ROLLOUT_TONES[state]}>{state.replace('-', ' ')}</Badge>
      </div>
      <Progress.Root size="sm" aria-label={`${release}: ${text}`}>
        <Progress.Section value={share(confirmed)} color="green.8" aria-label="confirmed" />
        <Progress.Section value={share(failed)} color="red.8" aria-label="failed" />
      </Progress.Root>
      <p className={styles['readout']}>{text}</p>
    </li>
  );
}

const ROLLOUT_TONES: Readonly<Record<Rollout['state'], Tone>> = {
  draft: 'calm',
  'waiting-approval': 'warn',
  running: 'info',
  paused: 'warn',
  finished: 'good',
  aborted: 'bad',
};

/** In the order in which an update goes. */
const UPDATE_STATES: readonly (readonly [state: string, tone: Tone])[] = [
  ['idle', 'calm'],
  ['downloading', 'info'],
  ['verified', 'info'],
  ['staged', 'info'],
  ['rebooting', 'info'],
  ['trial', 'warn'],
  ['confirmed', 'good'],
  ['reverting', 'warn'],
  ['reverted', 'bad'],
  ['failed', 'bad'],
];
