/** Whether there can be passkeys where this page is open. @module */
import type { SignInMethods } from '@holdfast/protocol/api';

/** Why there can be none here, in a sentence; empty when there can. */
export function passkeyObstacle(
  methods: Pick<SignInMethods, 'passkeyHost' | 'origin'>,
  here: { readonly origin: string; readonly knowsPasskeys: boolean },
): string {
  if (methods.passkeyHost === undefined) {
    return (
      'Passkeys are bound to a host name, and this server has an IP address only. ' +
      'Whoever runs it can start it with --host NAME.'
    );
  }
  if (here.origin !== methods.origin) {
    return `Passkeys of this server work at ${methods.origin} only: open the page there.`;
  }
  return here.knowsPasskeys ? '' : 'This browser is too old for passkeys.';
}
