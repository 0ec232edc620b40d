/** Whether what is shown is as of now. @module */
import type { ReactNode } from 'react';
import { useLive, useLiveState } from '../live/use-live.tsx';
import { Badge } from '../parts/badge.tsx';

/** A word in the bar. */
export function LiveMark(): ReactNode {
  const state = useLiveState();
  // Holds the stream open on pages that need none, so that it is there on those that do.
  useLive('left-out', () => {});
  return (
    <span role="status">
      {state === 'live' && <Badge tone="good">live</Badge>}
      {state === 'lost' && <Badge tone="warn">connection lost, trying again</Badge>}
    </span>
  );
}
