/** Who is signed in. @module */
import type { Me } from '@holdfast/protocol/api';
import type { UseQueryResult } from '@tanstack/react-query';
import type { Problem } from './problem.ts';
import { useAsk } from './use-ask.ts';

/** The caller; a problem `E_OPERATE_UNAUTHENTICATED` when nobody is. */
export function useMe(): UseQueryResult<Me, Problem> {
  return useAsk<Me>('/v1/me');
}
