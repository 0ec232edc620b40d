/** A moment: how long ago, with the exact time at hand. @module */
import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { agoText, exactText, spanText } from './time-text.ts';
import { useNowMs } from './use-now.ts';

/** So far the clocks of the server and of this browser may be apart: nothing is of the future then. */
const SKEW_MS = 5_000;

/** A time as people read it. The exact one comes on hover and on focus. */
export function Time({
  at,
  isSpan = false,
}: {
  readonly at: string | number | undefined;
  /** How long since then: "for 3 minutes". */
  readonly isSpan?: boolean;
}): ReactNode {
  // A page that is drawn between two renewals knows of what came since.
  const nowMs = Math.max(useNowMs(), Date.now());
  if (at === undefined) return <span>never</span>;
  const date = new Date(at);
  const aheadMs = date.getTime() - nowMs;
  const shownMs = aheadMs > 0 && aheadMs < SKEW_MS ? nowMs : date.getTime();
  return (
    <Tooltip label={exactText(date)} events={{ hover: true, focus: true, touch: true }}>
      <time dateTime={date.toISOString()}>
        {isSpan ? spanText(Math.max(0, nowMs - shownMs)) : agoText(shownMs, nowMs)}
      </time>
    </Tooltip>
  );
}
