/** What happens when a person has a new second factor. @module */
import { Refusal } from '@holdfast/protocol';
import type { RecoveryCodes } from '@holdfast/protocol/api';
import type { ApiDeps } from './deps.ts';
import { recordGift } from './record-first.ts';
import type { OwnSession } from './self.ts';

/**
 * Makes the session a full one, ends all others of the person, and gives recovery codes to whoever
 * has a password and none of them yet.
 */
export async function finishNewFactor(
  deps: ApiDeps,
  { caller, person }: OwnSession,
): Promise<RecoveryCodes> {
  const { people } = deps;
  people.endSessionsOf(person, { except: caller });
  people.stepUp(caller);
  if (person.password === undefined || person.recoveryCodes.length > 0) {
    return { recoveryCodes: [] };
  }
  const { principal } = caller;
  await recordGift(deps, { action: 'person.recovery-codes', principal }, caller);
  const codes = people.factors.renewRecoveryCodes(person);
  return { recoveryCodes: codes instanceof Refusal ? [] : codes.map((code) => code.expose()) };
}
