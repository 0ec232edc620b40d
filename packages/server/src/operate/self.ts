/** What the routes of a person's own sign-in have in common. @module */
import { isIP } from 'node:net';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Context } from 'hono';
import { type Caller, type Person, type RelyingParty, hasSecondFactor } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { STEP_UP_LIFE_MS } from './limits.ts';

/** A caller who is a person with a session. */
export interface OwnSession {
  readonly caller: Caller;
  readonly person: Person;
}

/** Refuses with `E_OPERATE_FORBIDDEN` whoever has no session: a token must not outlive itself. */
export function ownSession(c: Context<ApiEnv>, { people }: ApiDeps): OwnSession {
  const caller = c.get('caller');
  const person = people.personOf(caller);
  if (caller.credential !== 'session' || person === undefined) {
    throw new RefusedRequest(refuse('E_OPERATE_FORBIDDEN', 'Only a session may do this: sign in.'));
  }
  return { caller, person };
}

/**
 * As {@link ownSession}, for a change of what a person signs in with: whoever finds an open browser
 * must not make themselves at home in it. Refuses with `E_OPERATE_STEP_UP`; where there is no
 * second factor to ask for yet, see {@link requireFreshOidc}.
 */
export function ownSecureSession(c: Context<ApiEnv>, deps: ApiDeps): OwnSession {
  const own = ownSession(c, deps);
  const { steppedUpAtMs = -Infinity } = own.caller;
  const isRecent = deps.clock.nowMs() - steppedUpAtMs < STEP_UP_LIFE_MS;
  if (isRecent) return own;
  if (!hasSecondFactor(own.person)) return requireFreshOidc(own, deps);
  throw new RefusedRequest(refuse('E_OPERATE_STEP_UP', 'It changes how you sign in.'));
}

/**
 * Without a second factor here, the sign-in at the OpenID provider stands in for it, and has to be
 * as recent: an open browser must not become a passkey of somebody else. Sessions of other sign-ins
 * without a second factor are good for nothing but setting up one.
 */
function requireFreshOidc(own: OwnSession, { people, clock }: ApiDeps): OwnSession {
  const { by, startedAtMs = -Infinity } = people.sessionOf(own.caller) ?? {};
  if (by !== 'oidc' || clock.nowMs() - startedAtMs < STEP_UP_LIFE_MS) return own;
  const detail = 'It changes how you sign in: sign in at your provider again first.';
  throw new RefusedRequest(refuse('E_OPERATE_STEP_UP', detail));
}

/** Where passkeys of this server are good; refuses `E_OPERATE_CONFLICT` where none can be. */
export function relyingParty({ server }: ApiDeps): RelyingParty {
  return accepted(relyingPartyOf(server().site));
}

/** The same of the address at which browsers reach the API. */
export function relyingPartyOf(site: string): RelyingParty | Refusal {
  const { hostname: id, origin } = new URL(site);
  // WebAuthn Level 3 §5.1.3: an RP ID is a domain.
  if (isIP(id.replaceAll(/[[\]]/g, '')) === 0) return { id, origin };
  return refuse('E_OPERATE_CONFLICT', `Passkeys need a host name, and ${id} is an IP address.`);
}
