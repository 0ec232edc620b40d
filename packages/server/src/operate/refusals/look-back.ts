/** Goes through the refusals of a span, the newest first, as far as one answer may look. @module */
import { REFUSALS_SUMMED_MAX, REFUSAL_SPANS_MS, type RefusalSpan } from '@holdfast/protocol/api';
import type { Clock } from '../../kernel/index.ts';
import type { History, RefusalRecord } from '../../telemetry/index.ts';
import { REFUSALS_PAGE } from '../limits.ts';

/** How far a look came. */
export interface LookedBack {
  /** False: there is more than was looked at. */
  readonly isComplete: boolean;
  readonly sinceMs: number;
}

/** Shows each refusal of the span to `visit`. */
export async function lookBack(
  { clock, history }: { clock: Clock; history: Pick<History<RefusalRecord>, 'read'> },
  span: RefusalSpan,
  visit: (refusal: RefusalRecord) => void,
): Promise<LookedBack> {
  const sinceMs = clock.nowMs() - REFUSAL_SPANS_MS[span];
  let before: number | undefined;
  let oldestMs = clock.nowMs();
  for (let count = 0; count < REFUSALS_SUMMED_MAX; count += REFUSALS_PAGE) {
    const page: RefusalRecord[] = await history.read({ limit: REFUSALS_PAGE, before });
    for (const refusal of page) {
      if (refusal.atMs < sinceMs) return { isComplete: true, sinceMs };
      visit(refusal);
      oldestMs = refusal.atMs;
    }
    if (page.length < REFUSALS_PAGE) return { isComplete: true, sinceMs };
    before = page.at(-1)?.index;
  }
  return { isComplete: false, sinceMs: oldestMs };
}
