/** How people can sign in at this server, in this browser. @module */
import type { SignInMethods } from '@holdfast/protocol/api';
import { passkeyObstacle } from './passkey-place.ts';
import { knowsPasskeys } from './passkey.ts';
import type { Problem } from './problem.ts';
import { useAsk } from './use-ask.ts';

/** The ways in. */
export interface Methods {
  readonly data: SignInMethods | undefined;
  readonly error: Problem | null;
  /** While it is asked again: what is there may be of a session that has ended since. */
  readonly isFetching: boolean;
  /** Why there can be no passkeys here; empty when there can, undefined until it is known. */
  readonly obstacle: string | undefined;
}

/** Asks once. */
export function useMethods(): Methods {
  const { data, error, isFetching } = useAsk<SignInMethods>('/v1/sign-in/methods', {
    isAskedAnew: true,
  });
  const here = { origin: location.origin, knowsPasskeys: knowsPasskeys() };
  return { data, error, isFetching, obstacle: data && passkeyObstacle(data, here) };
}
