/** Asking again because of what comes live. @module */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useRef } from 'react';
import { keyOf } from './use-ask.ts';

/**
 * Gives what has `path` asked for again, `afterMs` later: no more often than that, however much
 * comes meanwhile.
 */
export function useRenewal(path: string, afterMs: number): () => void {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void queries.invalidateQueries({ queryKey: keyOf(path) });
    }, afterMs);
  }, [queries, path, afterMs]);
}
