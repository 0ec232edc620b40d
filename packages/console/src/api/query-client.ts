/** What the page has asked and keeps for a while. @module */
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { Problem } from './problem.ts';
import { keyOf } from './use-ask.ts';

const RETRIES_MAX = 2;

/** Made once for a page. */
export function createQueryClient(): QueryClient {
  const me = keyOf('/v1/me');
  // A session that has ended shows in whatever is asked next: who is signed in is asked again then.
  const onError = (error: Error): void => {
    const isOver = error instanceof Problem && error.status === 401;
    if (isOver && client.getQueryState(me)?.status === 'success') {
      void client.invalidateQueries({ queryKey: me, exact: true });
    }
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // What was refused is refused again; what could not be reached may come back.
        retry: (failures, error) =>
          failures < RETRIES_MAX && error instanceof Problem && error.code === 'unreachable',
        refetchOnWindowFocus: true,
      },
    },
  });
  return client;
}
