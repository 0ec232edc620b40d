/** Puts refusals on the audit log, the log and the metrics, and keeps a flood of them small. @module */
import type { Entry, Refusal } from '@holdfast/protocol';
import type { Clock, Log, RefusalReport } from '../kernel/index.ts';
import type { DataKey } from '../persistence/index.ts';
import type { Journal } from './journal.ts';
import { REFUSALS_PER_SECOND_MAX, SUMMED_REFUSALS_MAX } from './limits.ts';

/** What the recorder needs. */
export interface RefusalRecorderDeps {
  readonly journal: Journal;
  readonly key: DataKey;
  readonly clock: Clock;
  readonly log: Log;
  /** Counts each refusal, for the metrics. */
  readonly count: (refusal: Refusal) => void;
}

/** Records every refusal: one by one up to a rate, and summed up with a count beyond it. */
export class RefusalRecorder {
  readonly #deps: RefusalRecorderDeps;
  readonly #sums = new Map<string, { report: RefusalReport; count: number }>();
  #recordedInSecond = 0;
  #isSecondRunning = false;

  constructor(deps: RefusalRecorderDeps) {
    this.#deps = deps;
  }

  /** A `ReportRefusal`. */
  readonly report = (report: RefusalReport): void => {
    this.#deps.count(report.refusal);
    this.#startSecond();
    if (this.#recordedInSecond < REFUSALS_PER_SECOND_MAX) {
      this.#recordedInSecond += 1;
      this.#record(report, 1);
    } else {
      this.#sum(report);
    }
  };

  /** Records what is summed up so far, before the journal closes. */
  flush(): void {
    for (const { report, count } of this.#sums.values()) this.#record(report, count);
    this.#sums.clear();
  }

  #startSecond(): void {
    if (this.#isSecondRunning) return;
    this.#isSecondRunning = true;
    this.#deps.clock.after(1_000, () => {
      this.#isSecondRunning = false;
      this.#recordedInSecond = 0;
      this.flush();
    });
  }

  #sum(report: RefusalReport): void {
    const { refusal, principal = '', address = '' } = report;
    const isFull = this.#sums.size >= SUMMED_REFUSALS_MAX;
    const exact = `${refusal.code} ${principal} ${address}`;
    const key = isFull && !this.#sums.has(exact) ? refusal.code : exact;
    const sum = this.#sums.get(key);
    if (sum === undefined) this.#sums.set(key, { report, count: 1 });
    else sum.count += 1;
  }

  #record(report: RefusalReport, count: number): void {
    const { journal, key, clock, log } = this.#deps;
    const { refusal, principal = '', ...circumstances } = report;
    const facts = { detail: refusal.detail, count, ...circumstances };
    const entry: Entry = {
      kind: 'refusal',
      atMs: clock.nowMs(),
      principal,
      topic: refusal.code,
      kid: '',
      body: Buffer.from(JSON.stringify(facts), 'utf8'),
    };
    journal.append(entry, { key, done: () => {} });
    log.warn(
      {
        'event.action': 'refusal',
        'event.code': refusal.code,
        'event.reason': refusal.detail,
        'user.name': report.principal,
        'source.ip': report.address,
        'url.path': report.topic,
        count: count > 1 ? count : undefined,
      },
      'refused',
    );
  }
}
