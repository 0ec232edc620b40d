/**
 * The rule of acts: what gives somebody something is recorded first and done then, so nothing is
 * ever given that the log does not know. What takes something away (a revocation, a removed token,
 * a sign-out) is done first and recorded then, so a failing disk keeps nobody in.
 * @module
 */
import { refuse } from '@holdfast/protocol';
import type { Act, RecordAct } from '../audit/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { Caller, People } from '../registry/index.ts';
import { RefusedRequest } from './errors.ts';

/** What recording needs. */
export interface ActRecorder {
  readonly recordAct: RecordAct;
  readonly isReady: () => boolean;
}

/** Refuses with `E_JOURNAL_UNAVAILABLE` while nothing can be stored, instead of waiting for it. */
export function requireReady({ isReady }: Pick<ActRecorder, 'isReady'>): void {
  if (isReady()) return;
  throw new RefusedRequest(refuse('E_JOURNAL_UNAVAILABLE', 'Nothing was done.'));
}

/** Records an act that is about to be done; it must not be done when this rejects. */
export async function recordFirst(recorder: ActRecorder, act: Act): Promise<void> {
  requireReady(recorder);
  await recorder.recordAct(act);
}

/**
 * Records a gift to a caller. Refuses it with `E_OPERATE_UNAUTHENTICATED` when their access has
 * ended meanwhile: what somebody is cut off from must not come back by a request under way.
 */
export async function recordGift(
  recorder: ActRecorder & { readonly people: People; readonly clock: Clock },
  act: Act,
  caller: Caller,
): Promise<void> {
  await recordFirst(recorder, act);
  if (recorder.people.liveUntilMs(caller) > recorder.clock.nowMs()) return;
  throw new RefusedRequest(refuse('E_OPERATE_UNAUTHENTICATED', 'The access has ended meanwhile.'));
}
