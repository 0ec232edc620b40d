/** A moment: how long ago, and the exact time for who presses on it or hears it. @module */
import type { ReactNode } from 'react';
import { agoText, exactText } from '../../parts/time-text.ts';
import { useNowMs } from '../../parts/use-now.ts';

/** How often it is told anew. */
export const RENEWED_MS = 10_000;

export function When({ at }: { readonly at: string | number }): ReactNode {
  const nowMs = useNowMs(RENEWED_MS);
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={exactText(date)}>
      {agoText(date.getTime(), nowMs)}
    </time>
  );
}
