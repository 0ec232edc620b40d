/**
 * One device of the list. It is drawn anew for each device that comes into sight, so it is made of
 * plain elements: a component of the library in each cell would be felt while scrolling.
 * @module
 */
import type { DeviceView } from '@holdfast/protocol/api';
import { type ReactNode, memo } from 'react';
import { Link } from 'react-router';
import { Badge } from '../../parts/badge.tsx';
import { DeviceState } from '../../parts/device-state.tsx';
import { agoText, exactText, spanText } from '../../parts/time-text.ts';
import styles from './devices.module.css';

/** A certificate that ends within this time is shown. */
const CERTIFICATE_SOON_MS = 7 * 86_400_000;

/** What a row shows. */
export interface DeviceRowProps {
  readonly device: DeviceView;
  /** For what is relative to it. */
  readonly nowMs: number;
  /** Undefined: nothing can be selected. */
  readonly selection?: { readonly isSelected: boolean; readonly isDisabled: boolean } | undefined;
  readonly onToggle: (id: string) => void;
}

/** The cells of a row. */
export const DeviceCells = memo(DrawnCells, (before, after) => {
  return (
    before.device === after.device &&
    before.nowMs === after.nowMs &&
    before.selection?.isSelected === after.selection?.isSelected &&
    before.selection?.isDisabled === after.selection?.isDisabled
  );
});

function DrawnCells({ device, nowMs, selection, onToggle }: DeviceRowProps): ReactNode {
  const { id, state, stateAt, group, tags = [] } = device;
  return (
    <>
      {selection !== undefined && (
        <span role="cell" className={styles['select']}>
          <input
            type="checkbox"
            className={styles['box']}
            aria-label={`Select ${id}`}
            checked={selection.isSelected}
            disabled={selection.isDisabled}
            onChange={() => onToggle(id)}
          />
        </span>
      )}
      <span role="cell" className={styles['device']}>
        <Link to={`/devices/${encodeURIComponent(id)}`} className={styles['id']}>
          {id}
        </Link>
        {tags.length > 0 && (
          <span className={styles['tags']}>
            {tags.map((tag) => (
              <span key={tag} className={styles['tag']}>
                {tag}
              </span>
            ))}
          </span>
        )}
      </span>
      <span role="cell" className={styles['state']}>
        <DeviceState state={state} />
        {stateAt !== undefined && (
          <time className={styles['note']} dateTime={stateAt} title={exactText(new Date(stateAt))}>
            for {spanText(Math.max(0, nowMs - Date.parse(stateAt)))}
          </time>
        )}
      </span>
      <span role="cell" className={styles['connection']}>
        <Connection device={device} nowMs={nowMs} />
      </span>
      <span role="cell" className={styles['kind']}>
        <span>{device.class}</span>
        <span className={styles['note']}>{group === '' ? 'no group' : group}</span>
      </span>
      <span role="cell" className={styles['firmware']}>
        <Firmware device={device} />
      </span>
    </>
  );
}

/** As `Time`, without its own clock and tooltip: the page of the device has those. */
function Moment({ at, nowMs }: { readonly at: string; readonly nowMs: number }): ReactNode {
  const date = new Date(at);
  return (
    <time dateTime={at} title={exactText(date)}>
      {agoText(date.getTime(), nowMs)}
    </time>
  );
}

function Connection({
  device: { online, lastSeen, certificateEndsAt },
  nowMs,
}: Pick<DeviceRowProps, 'device' | 'nowMs'>): ReactNode {
  const endsSoon =
    certificateEndsAt !== undefined && Date.parse(certificateEndsAt) - nowMs < CERTIFICATE_SOON_MS;
  const seen =
    lastSeen === undefined ? (
      'never seen'
    ) : (
      <>
        seen <Moment at={lastSeen} nowMs={nowMs} />
      </>
    );
  return (
    <>
      {online === true ? (
        <Badge tone="good">connected</Badge>
      ) : (
        <span className={styles['away']}>{seen}</span>
      )}
      {endsSoon && (
        <span className={styles['ending']}>
          certificate ends <Moment at={certificateEndsAt} nowMs={nowMs} />
        </span>
      )}
    </>
  );
}

/** How an update stands that is not simply under way. */
const UPDATE_TONES = { failed: 'bad', reverted: 'warn', reverting: 'warn' } as const;

function Firmware({ device: { firmware, hardware } }: Pick<DeviceRowProps, 'device'>): ReactNode {
  if (firmware === undefined) {
    return <span className={styles['note']}>{hardware ?? 'unknown'}</span>;
  }
  const { runs = 'unknown', state, release } = firmware;
  const isDone = state === 'confirmed' || state === 'idle';
  const tone = Object.entries(UPDATE_TONES).find(([name]) => name === state)?.[1] ?? 'info';
  return (
    <>
      <span className={styles['version']}>{runs}</span>
      {!isDone && (
        <span className={styles['update']}>
          <Badge tone={tone}>{state}</Badge>
          {release !== runs && <span className={styles['note']}>{release}</span>}
        </span>
      )}
    </>
  );
}
