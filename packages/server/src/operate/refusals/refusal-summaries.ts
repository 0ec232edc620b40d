/** Summaries of what was refused: one look at the log serves everybody who asks for a while. @module */
import type { RefusalGrouping, RefusalSpan, RefusalSummary } from '@holdfast/protocol/api';
import type { Clock } from '../../kernel/index.ts';
import type { History, RefusalRecord } from '../../telemetry/index.ts';
import { REFUSAL_SUMMARY_LIFE_MS } from '../limits.ts';
import { isoTime } from '../views.ts';
import { type LookedBack, lookBack } from './look-back.ts';
import { RefusalTally } from './refusal-tally.ts';
import type { Turns } from './turns.ts';

/** What summaries need. */
export interface RefusalSummariesDeps {
  readonly clock: Clock;
  readonly history: Pick<History<RefusalRecord>, 'read'>;
  /** One reads at a time: the log has other work to do. */
  readonly turns: Turns;
}

interface Looked extends LookedBack {
  readonly tally: RefusalTally;
}

/** Whom a summary is made for: whoever asks within some seconds gets the same one. */
const EVERYBODY = '';

/** The summaries of one server. */
export class RefusalSummaries {
  readonly #deps: RefusalSummariesDeps;
  readonly #kept = new Map<RefusalSpan, { readonly endsAtMs: number; looked: Promise<Looked> }>();

  constructor(deps: RefusalSummariesDeps) {
    this.#deps = deps;
  }

  /** Counts the refusals of a span. */
  async of(by: RefusalGrouping, span: RefusalSpan): Promise<RefusalSummary> {
    const { tally, isComplete, sinceMs } = await this.#looked(span);
    return { by, span, ...tally.view(by), isComplete, since: isoTime(sinceMs) };
  }

  #looked(span: RefusalSpan): Promise<Looked> {
    const { clock, turns } = this.#deps;
    const known = this.#kept.get(span);
    if (known !== undefined && clock.monotonicMs() < known.endsAtMs) return known.looked;
    const looked = turns.take(EVERYBODY, () => this.#look(span));
    this.#kept.set(span, { endsAtMs: clock.monotonicMs() + REFUSAL_SUMMARY_LIFE_MS, looked });
    looked.catch(() => this.#kept.delete(span));
    return looked;
  }

  async #look(span: RefusalSpan): Promise<Looked> {
    const tally = new RefusalTally();
    const looked = await lookBack(this.#deps, span, (refusal) => tally.add(refusal));
    return { tally, ...looked };
  }
}
