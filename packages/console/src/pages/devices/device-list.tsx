/** The devices as rows, or as cards where there is no room for rows; only those in sight are drawn. @module */
import { Button } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useNowMs } from '../../parts/use-now.ts';
import { DeviceCells } from './device-row.tsx';
import type { Devices } from './use-devices.ts';
import styles from './devices.module.css';

const ROW_PX = 56;
/** Rows beyond the last one in sight at which the next page is asked for. */
const AHEAD = 30;

interface DeviceListProps {
  readonly list: Devices;
  readonly isSelected: (id: string) => boolean;
  /** False: no more can be selected. */
  readonly mayAdd: boolean;
  readonly onToggle: (id: string) => void;
  /** All that are loaded, or none. */
  readonly onToggleAll: () => void;
  readonly areAllSelected: boolean;
  /** False: whoever looks may do nothing to many. */
  readonly selects: boolean;
}

/** The list. */
export function DeviceList({
  list,
  isSelected,
  mayAdd,
  onToggle,
  onToggleAll,
  areAllSelected,
  selects,
}: DeviceListProps): ReactNode {
  const { devices, count = devices.length, hasMore, loadMore } = list;
  const place = useRef<HTMLDivElement>(null);
  const nowMs = useNowMs();
  // Rows that are drawn already keep their function, and call the newest one by it.
  const latest = useRef(onToggle);
  latest.current = onToggle;
  const toggle = useCallback((id: string): void => latest.current(id), []);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const rect = place.current?.getBoundingClientRect();
    setTop((rect?.top ?? 0) + globalThis.scrollY);
  }, [devices.length === 0]);
  const virtualizer = useWindowVirtualizer({
    count: devices.length,
    estimateSize: () => ROW_PX,
    overscan: 8,
    scrollMargin: top,
    getItemKey: (at) => devices[at]?.id ?? at,
  });
  const rows = virtualizer.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= devices.length - AHEAD) loadMore();
  }, [last, devices.length, hasMore]);
  return (
    <>
      <div
        className={styles['table']}
        role="table"
        aria-label="Devices"
        aria-rowcount={count + 1}
        aria-busy={list.isStale}
        data-selects={selects}
      >
        <div role="rowgroup" className={styles['head']}>
          <div role="row" className={styles['row']} aria-rowindex={1}>
            {selects && (
              <span role="columnheader">
                <input
                  type="checkbox"
                  className={styles['box']}
                  aria-label="Select the devices that are loaded"
                  checked={areAllSelected}
                  onChange={onToggleAll}
                />
              </span>
            )}
            <span role="columnheader">Device</span>
            <span role="columnheader">State</span>
            <span role="columnheader">Connection</span>
            <span role="columnheader">Class and group</span>
            <span role="columnheader">Firmware</span>
          </div>
        </div>
        <div
          role="rowgroup"
          ref={place}
          className={styles['body']}
          style={{ height: virtualizer.getTotalSize() }}
        >
          {rows.map(({ index, start, key }) => {
            const device = devices[index];
            return (
              device !== undefined && (
                <div
                  key={key}
                  role="row"
                  ref={virtualizer.measureElement}
                  data-index={index}
                  aria-rowindex={index + 2}
                  className={styles['row']}
                  style={{ transform: `translateY(${start - top}px)` }}
                >
                  <DeviceCells
                    device={device}
                    nowMs={nowMs}
                    selection={
                      selects
                        ? {
                            isSelected: isSelected(device.id),
                            isDisabled: !mayAdd && !isSelected(device.id),
                          }
                        : undefined
                    }
                    onToggle={toggle}
                  />
                </div>
              )
            );
          })}
        </div>
      </div>
      {hasMore && (
        <div className={styles['more']}>
          <Button variant="subtle" size="compact-sm" onClick={loadMore}>
            Load more
          </Button>
        </div>
      )}
    </>
  );
}
