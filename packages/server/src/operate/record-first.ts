/**
 * The rule of acts: what gives somebody something is recorded first and done then, so nothing is
 * ever given that the log does not know. What takes something away (a revocation, a removed token,
 * a sign-out) is done first and recorded then, so a failing disk keeps nobody in.
 * @module
 */
import { refuse } from '@holdfast/protocol';
import type { Act, RecordAct } from '../audit/index.ts';
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
