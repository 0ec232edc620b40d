/** What this server did not accept: from whom, and why. @module */
import { SegmentedControl } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { Page } from '../../parts/page.tsx';
import { FilterBar } from './filter-bar.tsx';
import { GroupsPanel } from './groups-panel.tsx';
import { NewestPanel } from './newest-panel.tsx';
import { type RefusalPlace, type RefusalShape, parametersOf, placeOf } from './refusal-filter.ts';
import styles from './refusals.module.css';

const SHAPES = [
  { value: 'newest', label: 'Newest' },
  { value: 'device', label: 'Devices' },
  { value: 'address', label: 'Addresses' },
  { value: 'code', label: 'Reasons' },
] as const satisfies { value: RefusalShape; label: string }[];

/** The page. */
export function RefusalsPage(): ReactNode {
  const [parameters, setParameters] = useSearchParams();
  const place = placeOf(parameters);
  const { shape, span, ...filter } = place;
  const go = (change: Partial<RefusalPlace>): void =>
    setParameters(parametersOf({ ...place, ...change }));
  return (
    <Page
      title="Refusals"
      intro="What this server did not accept: nothing of it reached anybody, and whoever sent it was not told why. Each one says what happened, what it could mean, and what to do."
      actions={
        <SegmentedControl
          data={[...SHAPES]}
          value={shape}
          onChange={(value) => go({ shape: value })}
          aria-label="One by one, or counted by device, address or reason"
          className={styles['shapes'] ?? ''}
        />
      }
    >
      {shape === 'newest' ? (
        <>
          <FilterBar filter={filter} onChange={go} />
          <NewestPanel key={JSON.stringify(filter)} filter={filter} />
        </>
      ) : (
        <GroupsPanel by={shape} span={span} onSpan={(next) => go({ span: next })} />
      )}
    </Page>
  );
}
