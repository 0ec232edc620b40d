/** The overview, kept fresh by what happens. @module */
import type { LiveFigures, Overview } from '@holdfast/protocol/api';
import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Problem } from '../../api/problem.ts';
import { useAsk } from '../../api/use-ask.ts';
import { useRenewal } from '../../api/use-renewal.ts';
import { useLive } from '../../live/use-live.tsx';

const PATH = '/v1/overview';
/** Asked again so often though nothing happens: what ends, ends by itself. */
const EVERY_MS = 30_000;
/** And no more often than this, whatever happens: the server counts as often. */
const RENEWED_MS = 5_000;

/** What `GET /v1/overview` says. */
export function useOverview(): UseQueryResult<Overview, Problem> {
  const renew = useRenewal(PATH, RENEWED_MS);
  // What was done on the page before may have come after the server counted.
  useEffect(renew, [renew]);
  useLive('device', renew);
  useLive('presence', renew);
  useLive('act', renew);
  useLive('left-out', renew);
  return useAsk<Overview>(PATH, { everyMs: EVERY_MS });
}

/** The figures of this moment; undefined before the first ones. */
export function useLiveFigures(): LiveFigures | undefined {
  const [figures, setFigures] = useState<LiveFigures | undefined>();
  useLive<LiveFigures>('figures', setFigures);
  return figures;
}
