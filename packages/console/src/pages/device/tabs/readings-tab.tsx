/** Charts and readings, live. @module */
import type { ReactNode } from 'react';
import type { TabProps } from '../device-page.tsx';
import { ReadingsPanel } from '../readings/readings-panel.tsx';
import { useReadings } from '../readings/use-readings.ts';
import { SeriesPanel } from '../series/series-panel.tsx';
import { useRenewSeries } from '../series/use-points.ts';

/** The part of the page. */
export function ReadingsTab({ detail: { device }, rights }: TabProps): ReactNode {
  const renew = useRenewSeries(device.id);
  const state = useReadings(device.id, renew);
  return (
    <>
      <SeriesPanel id={device.id} />
      <ReadingsPanel id={device.id} state={state} rights={rights} />
    </>
  );
}
